/**
 * The printed side of a run: the machine first, then a block for each case as soon as it is known.
 */

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
 * Three lines at the head of a run; without them the figures below mean nothing.
 *
 * @param {import("./machine.mjs").MachineFacts} facts
 */
export function formatMachine(facts) {
  const memory = `${Math.round(facts.memoryBytes / 2 ** 30)} GiB`;
  return [
    `machine: ${facts.cores} cores, ${facts.processor}, ${memory}, ${facts.system}`,
    `versions: Node.js ${facts.node}, ${facts.otp ? `OTP ${facts.otp}` : "no Erlang"}`,
    `load before the run: ${facts.loadBefore.toFixed(2)}`,
  ].join("\n");
}

/**
 * What an aim says and whether it is reached; undefined when its rival or ours has no figure.
 *
 * @param {import("./record.mjs").BenchRecord} record
 * @param {import("./record.mjs").Target} target
 */
export function outcomeOf(record, target) {
  if ("atMost" in target) {
    if (record.ours === undefined) return undefined;
    const { median } = record.ours;
    const inUnit = (value) => `${formatFigure(value)} ${record.unit}`;
    return {
      aim: `at most ${inUnit(target.atMost)}`,
      reached: inUnit(median),
      isMet: median <= target.atMost,
    };
  }
  const ratio = record.ratios[target.vs];
  if (ratio === undefined) return undefined;
  return {
    aim: `${target.ratio}x ${target.vs}`,
    reached: `${ratio.toFixed(2)}x`,
    isMet: ratio >= target.ratio,
  };
}

/**
 * Median, extremes and our ratio for each contender of a record.
 *
 * @param {import("./record.mjs").BenchRecord} record
 * @param {Map<string, string>} absent reasons by rival
 */
export function formatRecord(record, absent) {
  const lines = [`\n${record.suite} · ${record.case} (${record.unit}, ${record.better} is better)`];
  const line = (name, summary, remark) => {
    const range = `${formatFigure(summary.min)} .. ${formatFigure(summary.max)}`;
    const figures = `${formatFigure(summary.median).padStart(9)}   ${range.padEnd(20)}`;
    return `  ${name.padEnd(18)}${figures}${remark}`.trimEnd();
  };
  if (record.ours !== undefined) lines.push(line("ours", record.ours, ""));
  for (const [name, summary] of Object.entries(record.peers)) {
    const ratio = record.ratios[name];
    lines.push(line(name, summary, ratio === undefined ? "" : `ours is ${ratio.toFixed(2)}x`));
  }
  for (const name of record.absent) lines.push(`  ${name.padEnd(18)}absent: ${absent.get(name)}`);
  for (const [name, reason] of Object.entries(record.failed ?? {})) {
    lines.push(`  ${name.padEnd(18)}FAILED: ${reason}`);
  }
  for (const target of [record.target, ...(record.furtherTargets ?? [])]) {
    const outcome = target && outcomeOf(record, target);
    if (outcome === undefined) continue;
    const verdict = outcome.isMet ? "met" : "not met";
    lines.push(`  aim: ${outcome.aim}, ${verdict} (${outcome.reached})`);
  }
  return lines.join("\n");
}

/**
 * A line that is written over on a terminal and left out elsewhere, where it would only fill logs.
 */
export class TurnLine {
  #isTerminal = process.stderr.isTTY === true;

  /** @param {string} text */
  show(text) {
    if (this.#isTerminal) process.stderr.write(`\r\u001b[K${text}`);
  }

  clear() {
    if (this.#isTerminal) process.stderr.write("\r\u001b[K");
  }
}
