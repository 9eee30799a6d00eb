/**
 * Takes the figures of a case: each round measures every contender once, in turn and in a process
 * of its own, so that a change of the machine's mood meets all of them.
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => Promise<string | undefined>} absence why it is not installed; undefined: it is
 * @property {() => Promise<number>} measure one figure, in the unit of its case
 *
 * @typedef {Omit<Contender, "name" | "absence"> & {
 *   case: string, targets?: import("./record.mjs").Target[] }} OurVariant
 *
 * @typedef {object} BenchCase
 * @property {string} case
 * @property {string} unit
 * @property {"higher" | "lower"} better
 * @property {OurVariant[]} ours variants of ours; each gets a record, all share the rivals' figures
 * @property {Contender[]} peers
 *
 * @typedef {object} CaseFigures
 * @property {Map<Contender | OurVariant, number[]>} runs
 * @property {Map<string, string>} absent reason by name of the rival
 * @property {Map<Contender | OurVariant, string>} failed
 */

/**
 * Runs all rounds of a case. A contender that fails is left out of the rounds that follow.
 *
 * @param {BenchCase} benchCase
 * @param {object} options
 * @param {number} options.rounds
 * @param {boolean} options.includesOurs false measures the rivals alone
 * @param {(contender: Contender | OurVariant, round: number) => void} options.onTurn
 * @returns {Promise<CaseFigures>}
 */
export async function takeFigures(benchCase, { rounds, includesOurs, onTurn }) {
  const runs = new Map();
  const absent = new Map();
  const failed = new Map();
  const contenders = includesOurs ? [...benchCase.ours] : [];
  for (const peer of benchCase.peers) {
    const reason = await peer.absence();
    if (reason === undefined) contenders.push(peer);
    else absent.set(peer.name, reason);
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of contenders) {
      if (failed.has(contender)) continue;
      onTurn(contender, round);
      try {
        const figure = await contender.measure();
        if (!(Number.isFinite(figure) && figure > 0)) throw new Error(`no figure: ${figure}`);
        runs.set(contender, [...(runs.get(contender) ?? []), figure]);
      } catch (error) {
        failed.set(contender, error instanceof Error ? error.message : String(error));
        runs.delete(contender);
      }
    }
  }
  return { runs, absent, failed };
}
