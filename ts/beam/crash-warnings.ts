import type { CrashReport } from "./runtime.ts";
import { describeReason } from "./signals.ts";

const APART_MS = 1_000;

/** Warns of processes that crash while nobody listens: at most once a second. */
export class CrashWarnings {
  #lastAt = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  /** Emits a process warning, or counts the crash for the next one. */
  warn({ pid, label, names, reason }: CrashReport): void {
    const now = performance.now();
    if (now - this.#lastAt < APART_MS) {
      this.#leftOut++;
      return;
    }
    this.#lastAt = now;
    const who = [label, ...names.map((name) => `'${name}'`)].filter((part) => part !== "");
    const more = this.#leftOut === 0 ? "" : ` (and ${this.#leftOut} more before)`;
    this.#leftOut = 0;
    const stack = reason instanceof Error ? reason.stack : undefined;
    process.emitWarning(
      `process ${pid} (${who.join(", ")}) crashed: ${describeReason(reason)}${more}`,
      {
        type: "ProcessCrash",
        code: "FOUNDATION_PROCESS_CRASHED",
        ...(stack !== undefined && { detail: stack }),
      },
    );
  }
}
