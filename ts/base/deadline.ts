import type { ErrorCode } from "./error-codes.ts";
import { FoundationError } from "./errors.ts";
import { DELAY_MS_MAX } from "./option-checks.ts";

/**
 * From here on a wait has no end, and no timer that would keep the program alive: Node's timers
 * cannot be longer. Unit: ms, 25 days.
 */
export const FOREVER_MS = DELAY_MS_MAX;

/** How long to wait and what may cut it short. */
export interface WaitOptions {
  /** Longest wait; 2^31 - 1 and more is for ever. Unit: ms. Default: none, wait for ever. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with `aborted`. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A wait that is settled once, by success, failure, timeout or abort, and then lets go of timer and
 * signal.
 */
export class Wait<T> {
  readonly promise: Promise<T>;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;
  #onSettled: (() => void) | undefined;
  #isSettled = false;

  /** `late` makes the error of a timeout; `onSettled` runs once, however the wait ends. */
  constructor(options: WaitOptions, code: ErrorCode, late: () => string, onSettled?: () => void) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#onSettled = onSettled;
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined && timeoutMs < FOREVER_MS) {
      this.#timer = setTimeout(() => this.reject(new FoundationError(code, late())), timeoutMs);
    }
    if (signal !== undefined) {
      this.#signal = signal;
      this.#onAbort = () => this.reject(abortError(signal));
      if (signal.aborted) this.#onAbort();
      else signal.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  /** Whether it has ended, however. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Ends the wait with a value. */
  resolve(value: T): void {
    this.#release();
    this.#resolve(value);
  }

  /** Ends the wait with an error. */
  reject(error: unknown): void {
    this.#release();
    this.#reject(error);
  }

  #release(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
    const onSettled = this.#onSettled;
    this.#onSettled = undefined;
    onSettled?.();
  }
}

/** The error of an aborted call; its cause is the signal's reason. */
export function abortError(signal: AbortSignal): FoundationError {
  return new FoundationError("aborted", "the call was aborted", { cause: signal.reason });
}
