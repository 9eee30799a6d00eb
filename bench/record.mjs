/** One line of the result: ours and its rivals on the same case, from the same run. */

import { ratioOf, summarise } from "./statistics.mjs";

/**
 * @typedef {{ vs: string, ratio: number }} Target the least ratio we aim at, against a named rival
 *
 * @typedef {object} BenchRecord
 * @property {string} suite
 * @property {string} case
 * @property {string} unit
 * @property {"higher" | "lower"} better
 * @property {import("./statistics.mjs").Summary} [ours] absent when ours failed or was left out
 * @property {Record<string, import("./statistics.mjs").Summary>} peers
 * @property {string[]} absent rivals that are not installed here
 * @property {Target} [target]
 * @property {number} [ratio] ours to `target.vs`, above 1 is better
 * @property {Record<string, number>} ratios ours to each rival
 * @property {Target[]} [furtherTargets] aims against other rivals, where a case has several
 * @property {Record<string, string>} [failed] why a contender has no figure
 */

/**
 * Builds the record of one of our variants from the figures of a measured case.
 *
 * @param {object} source
 * @param {string} source.suite
 * @param {import("./rounds.mjs").BenchCase} source.benchCase
 * @param {import("./rounds.mjs").OurVariant} source.variant
 * @param {import("./rounds.mjs").CaseFigures} source.figures
 * @returns {BenchRecord}
 */
export function createRecord({ suite, benchCase, variant, figures }) {
  const { runs, absent, failed } = figures;
  const record = {
    suite,
    case: variant.case,
    unit: benchCase.unit,
    better: benchCase.better,
    peers: {},
    absent: [...absent.keys()],
    ratios: {},
  };
  const ourRuns = runs.get(variant);
  if (ourRuns !== undefined) record.ours = summarise(ourRuns);
  for (const peer of benchCase.peers) {
    const peerRuns = runs.get(peer);
    if (peerRuns === undefined) continue;
    record.peers[peer.name] = summarise(peerRuns);
    if (record.ours === undefined) continue;
    record.ratios[peer.name] = ratioOf(record.ours, record.peers[peer.name], benchCase.better);
  }
  const [target, ...furtherTargets] = variant.targets ?? [];
  if (target !== undefined) {
    record.target = target;
    if (record.ratios[target.vs] !== undefined) record.ratio = record.ratios[target.vs];
  }
  if (furtherTargets.length > 0) record.furtherTargets = furtherTargets;
  const reasons = {};
  for (const [contender, reason] of failed) {
    if (contender === variant) reasons.ours = reason;
    else if (benchCase.peers.includes(contender)) reasons[contender.name] = reason;
  }
  if (Object.keys(reasons).length > 0) record.failed = reasons;
  return record;
}
