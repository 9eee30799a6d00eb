/**
 * The printed side of a run: the machine first, then a block for each case as soon as it is known.
 */

import { formatFigure, outcomeOf } from "./words.mjs";

/**
 * Three lines at the head of a run; without them the figures below mean nothing.
 *
 * @param {import("../machine.mjs").MachineFacts} facts
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
 * Median, extremes and our ratio for each contender of a record.
 *
 * @param {import("../record.mjs").BenchRecord} record
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
