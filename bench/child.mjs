/**
 * The measured process's half of the line protocol that processes.mjs reads: parameters come in as
 * one JSON argument, facts go out as marked JSON lines, so that a rival in any language can take
 * part.
 */

import { writeSync } from "node:fs";

/** Starts each line that is meant for the runner; whatever else a process prints is ignored. */
export const LINE_MARK = "@bench ";

/** The parameters that the runner passed to this process. */
export function parameters() {
  return JSON.parse(process.argv[2] ?? "{}");
}

/**
 * Tells the runner a fact, at once: a buffered write could be lost when the runner then kills us.
 *
 * @param {string} event "listening" (with `address`), "result" or "failed" (with `reason`)
 * @param {Record<string, unknown>} [fields]
 */
export function report(event, fields = {}) {
  writeSync(1, `${LINE_MARK}${JSON.stringify({ event, ...fields })}\n`);
}

/**
 * Reports a failure in words and ends the process; the runner shows the reason beside the case.
 *
 * @param {unknown} error
 * @returns {never}
 */
export function fail(error) {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  report("failed", { reason });
  process.exit(1);
}

/**
 * Ties this process to the runner: it stays after its own work until the runner ends it, and it
 * ends when the runner is gone, so that a killed bench leaves nothing behind.
 */
export function endWithRunner() {
  process.stdin.on("end", () => process.exit(1));
  process.stdin.on("error", () => process.exit(1));
  process.stdin.resume();
}

/** What came on standard input behind the line that was told last. */
let pending = "";

/**
 * Resolves with the next line that the runner tells this process, which `endWithRunner` has tied.
 *
 * @returns {Promise<any>}
 */
export function told() {
  return new Promise((resolve) => {
    const takeLine = () => {
      const end = pending.indexOf("\n");
      if (end === -1) return;
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      process.stdin.off("data", onText);
      resolve(JSON.parse(line));
    };
    const onText = (part) => {
      pending += part;
      takeLine();
    };
    process.stdin.setEncoding("utf8").on("data", onText);
    takeLine();
  });
}
