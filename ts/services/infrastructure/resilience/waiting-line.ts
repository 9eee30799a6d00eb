import type { Clock } from "../../../base/clock.ts";
import { abortError } from "../../../base/deadline.ts";
import { FoundationError } from "../../../base/errors.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { wholeNumber } from "../checks.ts";

/** How long somebody waits in a line. */
export interface LineOptions {
  /** Longest wait. Unit: ms. Default: none, for ever. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with `aborted`. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** One who waits for a `Gift`, and what for. */
export interface Waiter<Gift, Wish> {
  readonly wish: Wish;
  /** Ends the wait with what was waited for. */
  give(gift: Gift): void;
  /** Ends the wait with an error. */
  refuse(error: FoundationError): void;
}

/** Those who wait for something, first come first. Bounded; each may have a time limit. */
export class WaitingLine<Gift, Wish = undefined> {
  /** Most who wait; one more is refused with `too_many_waiting`. Who waits already, stays. */
  waitersMax: number;
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter<Gift, Wish>>();

  constructor(clock: Clock, waitersMax: number) {
    this.#clock = clock;
    this.waitersMax = waitersMax;
  }

  /** Those who wait now. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Who came first and still waits. */
  get first(): Waiter<Gift, Wish> | undefined {
    return this.#waiters.values().next().value;
  }

  /**
   * Waits at the end of the line.
   *
   * @throws FoundationError what `late` makes after `timeoutMs`; `aborted`; `too_many_waiting`;
   *   `invalid_options` with a time limit that is no time
   */
  async join(
    wish: Wish,
    { timeoutMs, signal }: LineOptions,
    late: () => FoundationError,
  ): Promise<Gift> {
    if (signal?.aborted === true) throw abortError(signal);
    if (timeoutMs !== undefined) wholeNumber("timeoutMs", timeoutMs, [0, DELAY_MS_MAX]);
    if (this.#waiters.size >= this.waitersMax) {
      const text = `${this.waitersMax} are waiting already`;
      throw new FoundationError("too_many_waiting", text);
    }
    return new Promise<Gift>((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter);
        cancel?.();
        signal?.removeEventListener("abort", onAbort);
      };
      const refuse = (error: FoundationError): void => {
        end();
        reject(error);
      };
      const give = (gift: Gift): void => {
        end();
        resolve(gift);
      };
      const onAbort = (): void => refuse(abortError(signal as AbortSignal));
      const waiter: Waiter<Gift, Wish> = { wish, give, refuse };
      const cancel =
        timeoutMs === undefined
          ? undefined
          : this.#clock.after(timeoutMs, () => refuse(late()), true);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Ends every wait with an error. */
  refuseAll(error: FoundationError): void {
    for (const waiter of [...this.#waiters]) waiter.refuse(error);
  }
}
