/** What is done beside the calls, by a heavy process or by a stranger. */

/** Rounds between two looks at the clock. */
const LOOK_EVERY = 1_000_000;
/** Objects that are alive before they are dropped together: some 8 MB, more than a young heap. */
const KEPT = 50_000;

/** Keeps a core busy and allocates nothing. `Infinity` is an endless loop. */
function burn(untilMs) {
  for (let rounds = 1; rounds % LOOK_EVERY !== 0 || performance.now() < untilMs; rounds++);
}

/** Allocates and drops, as fast as it can; what it drops has lived long enough to be moved. */
function churn(untilMs) {
  while (performance.now() < untilMs) {
    const kept = [];
    for (let index = 0; index < KEPT; index++) {
      kept.push({ index, list: [index, index], text: `object ${index}` });
    }
    if (kept.length !== KEPT) throw new Error("objects are missing");
  }
}

/** @type {Record<"burn" | "churn", (untilMs: number) => void>} */
export const WORKS = { burn, churn };
