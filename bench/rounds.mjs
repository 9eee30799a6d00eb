/**
 * Takes the figures of a case: each round measures every contender once, in turn and in a process
 * of its own, so that a change of the machine's mood meets all of them.
 */

/**
 * What one turn yields: one figure in the unit of its case, or several by the keys of its figures.
 *
 * @typedef {number | Record<string, number>} Outcome
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => Promise<string | undefined>} absence why it is not installed; undefined: it is
 * @property {() => Promise<Outcome>} measure one turn
 *
 * @typedef {object} OurVariant
 * @property {string} case
 * @property {() => Promise<string | undefined>} [absence] why this build has none of it
 * @property {() => Promise<Outcome>} measure one turn
 * @property {import("./record.mjs").Target[] | Record<string, import("./record.mjs").Target[]>}
 *   [targets] by the key of a figure where the case has several
 * @property {Record<string, string>} [beside] variants of ours that are rivals of this one: the
 *   name to show, and their `case`
 * @property {boolean} [isYardstick] only measured to stand beside others: it gets no record
 *
 * @typedef {object} Figure one of several figures that a turn yields
 * @property {string} key in the outcome; a contender may leave it out
 * @property {string} name follows the name of the case
 * @property {string} unit
 * @property {"higher" | "lower"} better
 * @property {boolean} [mayBeZero] of a count of what should not happen: nothing is a figure too
 *
 * @typedef {object} BenchCase
 * @property {string} case
 * @property {string} [unit] of a case with one figure
 * @property {"higher" | "lower"} [better] of a case with one figure
 * @property {Figure[]} [figures] of a case with several
 * @property {OurVariant[]} ours variants of ours; each gets a record, all share the rivals' figures
 * @property {Contender[]} peers
 *
 * @typedef {object} CaseFigures
 * @property {Map<Contender | OurVariant, Outcome[]>} runs
 * @property {Map<string, string>} absent reason by name of the rival
 * @property {Map<string, string>} leftOut reason by case of a variant that this build has not
 * @property {Map<Contender | OurVariant, string>} failed
 */

/** Throws unless every figure of an outcome is a positive number, or zero where that is one. */
function assertFigures(outcome, { figures: expected = [] }) {
  const named = typeof outcome === "number" ? { figure: outcome } : (outcome ?? {});
  const figures = Object.values(named);
  const zeroKeys = new Set(expected.filter((each) => each.mayBeZero).map((each) => each.key));
  const areGood = Object.entries(named).every(
    ([key, figure]) =>
      Number.isFinite(figure) && (figure > 0 || (figure === 0 && zeroKeys.has(key))),
  );
  if (figures.length === 0 || !areGood) throw new Error(`no figure: ${JSON.stringify(outcome)}`);
}

/** Those that can be measured here, and why the rivals among the others cannot. */
async function takePresent(benchCase, { includesOurs, includesPeers }) {
  const contenders = [];
  const absent = new Map();
  const leftOut = new Map();
  for (const variant of includesOurs ? benchCase.ours : []) {
    const reason = await variant.absence?.();
    if (reason === undefined) contenders.push(variant);
    else leftOut.set(variant.case, reason);
  }
  for (const peer of includesPeers ? benchCase.peers : []) {
    const reason = await peer.absence();
    if (reason === undefined) contenders.push(peer);
    else absent.set(peer.name, reason);
  }
  return { contenders, absent, leftOut };
}

/**
 * Runs all rounds of a case. A contender that fails is left out of the rounds that follow.
 *
 * @param {BenchCase} benchCase
 * @param {object} options
 * @param {number} options.rounds
 * @param {boolean} options.includesOurs false measures the rivals alone
 * @param {boolean} options.includesPeers false measures ours alone
 * @param {(contender: Contender | OurVariant, round: number) => void} options.onTurn
 * @returns {Promise<CaseFigures>}
 */
export async function takeFigures(benchCase, { rounds, onTurn, ...included }) {
  const runs = new Map();
  const failed = new Map();
  const { contenders, absent, leftOut } = await takePresent(benchCase, included);
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of contenders) {
      if (failed.has(contender)) continue;
      onTurn(contender, round);
      try {
        const outcome = await contender.measure();
        assertFigures(outcome, benchCase);
        runs.set(contender, [...(runs.get(contender) ?? []), outcome]);
      } catch (error) {
        failed.set(contender, error instanceof Error ? error.message : String(error));
        runs.delete(contender);
      }
    }
  }
  return { runs, absent, leftOut, failed };
}
