/**
 * Summary of the rounds of one contender: the median is what is quoted, the extremes show how far a
 * round strayed from it.
 *
 * @typedef {{ median: number, min: number, max: number, runs: number[] }} Summary
 */

/**
 * Summarises the figures of all rounds; an even count takes the mean of the two in the middle.
 *
 * @param {readonly number[]} runs one figure per round, in the order they were taken
 * @returns {Summary}
 */
export function summarise(runs) {
  if (runs.length === 0) throw new RangeError("no run to summarise");
  const sorted = [...runs].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1], runs: [...runs] };
}

/**
 * How many times better ours is than a rival: above 1 is better, whichever way the unit points.
 * Equal figures are 1, two zeros among them.
 *
 * @param {Summary} ours
 * @param {Summary} peer
 * @param {"higher" | "lower"} better
 */
export function ratioOf(ours, peer, better) {
  if (ours.median === peer.median) return 1;
  return better === "higher" ? ours.median / peer.median : peer.median / ours.median;
}
