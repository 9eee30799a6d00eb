import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { abortError } from "../../base/deadline.ts";
import { type Attempt, attempt, FoundationError } from "../../base/errors.ts";
import { checkCount } from "../../base/option-checks.ts";

/** How often and how patiently something is tried. */
export interface UtilsRetryOptions {
  /** Attempts, the first included. Unit: calls. Default: 3. */
  readonly maxAttempts?: number;
  /** Wait before the second attempt; it doubles from there. Unit: ms. Default: 100. */
  readonly baseDelayMs?: number;
  /** Longest wait between two attempts. Unit: ms. Default: 5,000. */
  readonly maxDelayMs?: number;
  /** Ends the waiting with `aborted`. Unit: signal. Default: none. */
  readonly signal?: AbortSignal;
  /** Where time comes from. Unit: clock. Default: the system. */
  readonly clock?: Clock;
}

/** Defaults of {@link retry}: those of Foundation 1.x. */
export const UTILS_RETRY_DEFAULTS = Object.freeze({
  maxAttempts: 3, // as Foundation 1.x
  baseDelayMs: 100, // as Foundation 1.x
  maxDelayMs: 5_000, // as Foundation 1.x
});

/**
 * Calls `operation` until it returns or resolves, with growing waits in between.
 *
 * @throws FoundationError `max_attempts_exceeded` with the last error as `cause`, `aborted`,
 *   `invalid_options`
 */
export async function retry<T>(
  operation: (attempt: number) => T | Promise<T>,
  options: UtilsRetryOptions = {},
): Promise<T> {
  const { maxAttempts, baseDelayMs, maxDelayMs } = { ...UTILS_RETRY_DEFAULTS, ...options };
  checkCount("maxAttempts", maxAttempts);
  checkCount("baseDelayMs", baseDelayMs, 0);
  checkCount("maxDelayMs", maxDelayMs, 0);
  const { signal, clock = SYSTEM_CLOCK } = options;
  for (let turn = 1; ; turn++) {
    if (signal?.aborted === true) throw abortError(signal);
    const tried = await attempted(operation, turn);
    if (tried.ok) return tried.value;
    if (turn >= maxAttempts) {
      const text = `still failing after ${maxAttempts} attempts`;
      throw new FoundationError("max_attempts_exceeded", text, { cause: tried.error });
    }
    await wait(clock, Math.min(maxDelayMs, baseDelayMs * 2 ** (turn - 1)), signal);
  }
}

async function attempted<T>(
  operation: (attempt: number) => T | Promise<T>,
  number: number,
): Promise<Attempt<T>> {
  return attempt(async () => operation(number));
}

async function wait(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      if (signal !== undefined) reject(abortError(signal));
    };
    const goOn = (): void => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    };
    // Somebody awaits it: the program must not end in the middle of the wait.
    const cancel = clock.after(delayMs, goOn, true);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
