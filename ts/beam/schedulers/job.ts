import { FoundationError } from "../../base/errors.ts";
import { thrownText } from "../../base/thrown-text.ts";
import type { JobMemory } from "./job-memory.ts";
import type { Outcome } from "./notices.ts";

/** One call of `balanceWork`: which items are settled, and who still works on it. */
export class Job {
  readonly settled: PromiseSettledResult<unknown>[];
  readonly memory: JobMemory;
  readonly #onEnd: () => void;
  readonly #onFailure: ((reason: unknown) => void) | undefined;
  readonly #idle = new Set<number>();
  readonly #isSettled: Uint8Array;
  #left: number;

  /** `onEnd`: every item is settled. `onFailure`: one has failed. */
  constructor(
    items: number,
    memory: JobMemory,
    onEnd: () => void,
    onFailure?: (reason: unknown) => void,
  ) {
    this.memory = memory;
    this.settled = new Array(items);
    this.#isSettled = new Uint8Array(items);
    this.#left = items;
    this.#onEnd = onEnd;
    this.#onFailure = onFailure;
  }

  /** Takes what a scheduler tells of items. */
  take(outcomes: readonly Outcome[]): void {
    for (const [index, isDone, value] of outcomes) {
      if (isDone) this.#settle(index, { status: "fulfilled", value });
      else this.fail(index, value);
    }
  }

  /** An item failed. */
  fail(index: number, cause: unknown): void {
    const why = thrownText(cause);
    const text = `item ${index} failed: ${why}`;
    const reason =
      cause instanceof FoundationError && cause.code !== "internal"
        ? cause
        : new FoundationError("task_failed", text, { cause, context: { index } });
    this.#settle(index, { status: "rejected", reason });
  }

  #settle(index: number, result: PromiseSettledResult<unknown>): void {
    if (this.#isSettled[index] !== 0) return;
    this.#isSettled[index] = 1;
    this.settled[index] = result;
    if (result.status === "rejected") this.#onFailure?.(result.reason);
    if (--this.#left === 0) this.#onEnd();
  }

  /** A scheduler works on it. */
  works(scheduler: number): void {
    this.#idle.delete(scheduler);
  }

  /**
   * A scheduler finds no more items. When nobody does, what is unsettled is dealt out anew: a
   * scheduler may have ended between taking items and telling of them.
   *
   * @returns whether there is work for all again
   */
  isIdle(scheduler: number): boolean {
    this.#idle.add(scheduler);
    const { ranges } = this.memory;
    if (this.#left === 0 || this.#idle.size < ranges.size) return false;
    let next = 0;
    for (let begin = this.#unsettledFrom(0); begin >= 0 && next < ranges.size; next++) {
      const end = this.#isSettled.indexOf(1, begin);
      ranges.assign(next, { begin, end: end < 0 ? this.#isSettled.length : end });
      begin = end < 0 ? -1 : this.#unsettledFrom(end);
    }
    this.#idle.clear();
    return true;
  }

  #unsettledFrom(index: number): number {
    return this.#isSettled.indexOf(0, index);
  }
}
