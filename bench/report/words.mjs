/** Figures, aims and machines in words, the same in every report. */

const SCALES = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/**
 * A figure with three significant digits and the unit's scale, such as `3.41 M`.
 *
 * @param {number} value
 */
export function formatFigure(value) {
  for (const [size, letter] of SCALES) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${letter}`;
  }
  return value.toPrecision(3);
}

/**
 * What an aim says and whether it is reached; undefined when its rival or ours has no figure.
 *
 * @param {import("../record.mjs").BenchRecord} record
 * @param {import("../record.mjs").Target} target
 */
export function outcomeOf(record, target) {
  if ("atMost" in target || "atLeast" in target) {
    if (record.ours === undefined) return undefined;
    const { median } = record.ours;
    const inUnit = (value) => `${formatFigure(value)} ${record.unit}`;
    const isLeast = "atLeast" in target;
    const limit = isLeast ? target.atLeast : target.atMost;
    return {
      aim: `at ${isLeast ? "least" : "most"} ${inUnit(limit)}`,
      reached: inUnit(median),
      isMet: isLeast ? median >= limit : median <= limit,
    };
  }
  const ratio = record.ratios[target.vs];
  if (ratio === undefined) return undefined;
  return {
    aim: `${Number(target.ratio.toFixed(2))}x ${target.vs}`,
    reached: `${ratio.toFixed(2)}x`,
    isMet: ratio >= target.ratio,
  };
}

/**
 * The machine of a run in a sentence, without a full stop.
 *
 * @param {import("../machine.mjs").MachineFacts} facts
 */
export function machineWords(facts) {
  const memory = `${Math.round(facts.memoryBytes / 2 ** 30)} GiB`;
  const versions = `Node.js ${facts.node}${facts.otp ? `, OTP ${facts.otp}` : ""}`;
  return `${facts.cores} cores (${facts.processor}), ${memory}, ${facts.system}, ${versions}`;
}
