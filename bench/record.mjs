/** One line of the result: ours and its rivals on the same case, from the same run. */

import { ratioOf, summarise } from "./statistics.mjs";

/**
 * @typedef {{ vs: string, ratio: number }} RatioTarget the least ratio aimed at, against a rival
 * @typedef {{ atMost: number } | { atLeast: number }} LimitTarget the most or the least that a
 *   figure may be, in the unit of its case
 * @typedef {RatioTarget | LimitTarget} Target
 *
 * @typedef {object} BenchRecord
 * @property {string} suite
 * @property {string} case
 * @property {string} group what the variants of ours share that stand beside the same rivals
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
 *
 * @typedef {object} Measured
 * @property {string} suite
 * @property {import("./rounds.mjs").BenchCase} benchCase
 * @property {import("./rounds.mjs").CaseFigures} figures
 */

/** The figures of one key of all runs; undefined when the contender yields none of it. */
function runsOf(runs, contender, figure) {
  const outcomes = runs.get(contender);
  const values = outcomes?.map((outcome) => (figure.key ? outcome[figure.key] : outcome));
  return values?.every((value) => value !== undefined) ? values : undefined;
}

/** Who stands beside a variant, by the name to show: other variants of ours, then the rivals. */
function rivalsOf(benchCase, variant) {
  const rivals = new Map();
  for (const [name, caseName] of Object.entries(variant.beside ?? {})) {
    rivals.set(
      name,
      benchCase.ours.find((each) => each.case === caseName),
    );
  }
  for (const peer of benchCase.peers) rivals.set(peer.name, peer);
  return rivals;
}

function addTargets(record, targets) {
  const [target, ...furtherTargets] = targets;
  if (target === undefined) return;
  record.target = target;
  if (record.ratios[target.vs] !== undefined) record.ratio = record.ratios[target.vs];
  if (furtherTargets.length > 0) record.furtherTargets = furtherTargets;
}

/** Builds the record of one variant of ours and one figure. */
function createRecord({ suite, benchCase, figures: { runs, absent, failed } }, variant, figure) {
  const named = (name) => (figure.name === undefined ? name : `${name}, ${figure.name}`);
  const record = {
    suite,
    case: named(variant.case),
    group: named(benchCase.case),
    unit: figure.unit,
    better: figure.better,
    peers: {},
    absent: [...absent.keys()],
    ratios: {},
  };
  const ourRuns = runsOf(runs, variant, figure);
  if (ourRuns !== undefined) record.ours = summarise(ourRuns);
  const reasons = {};
  if (failed.has(variant)) reasons.ours = failed.get(variant);
  for (const [name, rival] of rivalsOf(benchCase, variant)) {
    if (failed.has(rival)) reasons[name] = failed.get(rival);
    const rivalRuns = runsOf(runs, rival, figure);
    if (rivalRuns === undefined) continue;
    record.peers[name] = summarise(rivalRuns);
    if (record.ours === undefined) continue;
    record.ratios[name] = ratioOf(record.ours, record.peers[name], figure.better);
  }
  const { targets = [] } = variant;
  addTargets(record, Array.isArray(targets) ? targets : (targets[figure.key] ?? []));
  if (Object.keys(reasons).length > 0) record.failed = reasons;
  return record;
}

/**
 * The records of a measured case: one for each variant of ours and each figure. Without ours there
 * is still one for each figure, so that the rivals' figures are kept.
 *
 * @param {Measured} measured
 * @param {boolean} includesOurs
 * @returns {BenchRecord[]}
 */
export function createRecords(measured, includesOurs) {
  const { benchCase, figures } = measured;
  const isMeasured = (each) => figures.runs.has(each) || figures.failed.has(each);
  const variants = includesOurs
    ? benchCase.ours.filter((each) => isMeasured(each) && !each.isYardstick)
    : [{ case: benchCase.case }];
  const { unit, better } = benchCase;
  return variants.flatMap((variant) =>
    (benchCase.figures ?? [{ unit, better }])
      .map((figure) => createRecord(measured, variant, figure))
      .filter(
        ({ ours, peers, failed }) => ours || failed || (!includesOurs && Object.keys(peers).length),
      ),
  );
}
