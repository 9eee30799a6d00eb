import { Wait } from "../base/deadline.ts";
import { checkDelay, checkKeys } from "../base/option-checks.ts";
import type { ReceiveOptions } from "./process-types.ts";

/** A process that waits for a message of its choice. */
export class Receiving {
  readonly #match: ((message: unknown) => boolean) | undefined;
  readonly #wait: Wait<unknown>;

  /**
   * `onEnd` runs once, however the wait ends.
   *
   * @throws FoundationError `invalid_options`
   */
  constructor(
    match: ((message: unknown) => boolean) | undefined,
    options: ReceiveOptions,
    onEnd: () => void,
  ) {
    checkKeys("the options of receive", options, ["timeoutMs", "signal"]);
    const { signal, timeoutMs = Number.POSITIVE_INFINITY } = options;
    this.#match = match;
    const isEndless = timeoutMs === Number.POSITIVE_INFINITY;
    if (!isEndless) checkDelay("timeoutMs", timeoutMs);
    const late = (): string => `no such message came within ${timeoutMs} ms`;
    const wait = { signal, timeoutMs: isEndless ? undefined : timeoutMs };
    this.#wait = new Wait<unknown>(wait, "timeout", late, onEnd);
  }

  get promise(): Promise<unknown> {
    return this.#wait.promise;
  }

  /** Takes the message if it is the one waited for. */
  offer(message: unknown): boolean {
    if (this.#match !== undefined && !this.#accepts(message)) return false;
    this.#wait.resolve(message);
    return true;
  }

  /** A `match` that throws ends the wait, not whoever sent the message. */
  #accepts(message: unknown): boolean {
    try {
      return this.#match?.(message) === true;
    } catch (thrown) {
      this.#wait.reject(thrown);
      return false;
    }
  }

  /** Ends the wait: the process is gone. */
  fail(error: unknown): void {
    this.#wait.reject(error);
  }
}
