/** Who is called: some 50 microseconds of work each time, whether light or heavy. */

/** Steps of a call. */
const STEPS = 10_000;

/** Each step needs the one before it, and nothing is allocated. */
function walk(value) {
  let state = value;
  for (let steps = 0; steps < STEPS; steps++) state = (state * 1_103_515 + 12_345) & 0x7fff_ffff;
  return state;
}

/** A handler. @param {number} value */
export const answer = (value) => ({ value, state: walk(value) });
