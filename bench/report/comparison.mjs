/** What changed between two lists of records, and whether the rounds of each allow to say so. */

import { ratioOf, summarise } from "../statistics.mjs";
import { formatFigure } from "./words.mjs";

/**
 * @typedef {import("../record.mjs").BenchRecord} BenchRecord
 * @typedef {import("../statistics.mjs").Summary} Summary
 *
 * @typedef {object} Change
 * @property {string} name suite and case
 * @property {string} unit
 * @property {Summary} base
 * @property {Summary} head
 * @property {number} gain head to base, above 1 is better whichever way the unit points
 * @property {number} noise half of the wider of both ranges, as a share of its median
 * @property {number} [rivals] how the same rivals moved meanwhile, the mean; above 1 is faster
 * @property {"better" | "worse" | "noise" | "same"} verdict
 */

const nameOf = ({ suite, case: name }) => `${suite} · ${name}`;

/** Half of a summary's range, as a share of its median. */
const spreadOf = ({ median, min, max }) => (max - min) / 2 / median;

/** Whether a figure of one could as well have come from the other. */
const overlap = (one, other) => one.min <= other.max && other.min <= one.max;

/** Geometric mean of what the rivals of both lists did: a machine that changed shows here. */
function rivalsMoved(base, head) {
  const gains = Object.keys(base.peers)
    .filter((name) => head.peers[name] !== undefined)
    .map((name) => ratioOf(head.peers[name], base.peers[name], head.better));
  if (gains.length === 0) return undefined;
  return Math.exp(gains.reduce((sum, gain) => sum + Math.log(gain), 0) / gains.length);
}

function verdictOf(gain, isOverlapping, threshold) {
  if (Math.abs(Math.log(gain)) < Math.log(1 + threshold)) return "same";
  if (isOverlapping) return "noise";
  return gain > 1 ? "better" : "worse";
}

/**
 * Compares the cases that both lists have a figure of ours for, in the order of `head`.
 *
 * @param {readonly BenchRecord[]} baseRecords
 * @param {readonly BenchRecord[]} headRecords
 * @param {{ threshold: number }} options smallest change that counts, as a share
 * @returns {{ changes: Change[], onlyIn: { base: string[], head: string[] } }}
 */
export function compareRecords(baseRecords, headRecords, { threshold }) {
  const measured = (records) =>
    new Map(records.filter(({ ours }) => ours).map((record) => [nameOf(record), record]));
  const bases = measured(baseRecords);
  const heads = measured(headRecords);
  const changes = [...heads]
    .filter(([name]) => bases.has(name))
    .map(([name, head]) => {
      const base = bases.get(name);
      const gain = ratioOf(head.ours, base.ours, head.better);
      return {
        name,
        unit: head.unit,
        base: base.ours,
        head: head.ours,
        gain,
        noise: Math.max(spreadOf(base.ours), spreadOf(head.ours)),
        rivals: rivalsMoved(base, head),
        verdict: verdictOf(gain, overlap(base.ours, head.ours), threshold),
      };
    });
  const missing = (from, other) => [...from.keys()].filter((name) => !other.has(name));
  return { changes, onlyIn: { base: missing(bases, heads), head: missing(heads, bases) } };
}

/**
 * Joins the records of several short runs of one build: the runs of each contender in one summary.
 *
 * @param {readonly BenchRecord[][]} lists
 * @returns {BenchRecord[]}
 */
export function mergeRecords(lists) {
  const byName = new Map();
  for (const record of lists.flat()) {
    const before = byName.get(nameOf(record));
    byName.set(nameOf(record), before === undefined ? record : joined(before, record));
  }
  return [...byName.values()];
}

function joined(one, other) {
  const summaries = (left, right) => summarise([...(left?.runs ?? []), ...(right?.runs ?? [])]);
  const peers = { ...one.peers };
  for (const [name, summary] of Object.entries(other.peers)) {
    peers[name] = summaries(peers[name], summary);
  }
  const ours = (one.ours ?? other.ours) ? { ours: summaries(one.ours, other.ours) } : {};
  return { ...one, ...other, ...ours, peers };
}

/**
 * A table of changes, widest first column as wide as needed.
 *
 * @param {ReturnType<typeof compareRecords>} comparison
 */
export function formatComparison({ changes, onlyIn }) {
  const range = ({ median, min, max }) =>
    `${formatFigure(median)} (${formatFigure(min)} .. ${formatFigure(max)})`;
  const rows = [
    ["case", "base", "head", "head is", "noise", "rivals", ""],
    ...changes.map((change) => [
      `${change.name} (${change.unit})`,
      range(change.base),
      range(change.head),
      `${change.gain.toFixed(2)}x`,
      `±${Math.round(change.noise * 100)} %`,
      change.rivals === undefined ? "" : `${change.rivals.toFixed(2)}x`,
      { better: "BETTER", worse: "WORSE", noise: "within noise", same: "" }[change.verdict],
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  for (const [list, names] of Object.entries(onlyIn)) {
    if (names.length > 0) lines.push(`only in ${list}: ${names.join("; ")}`);
  }
  return lines.join("\n");
}
