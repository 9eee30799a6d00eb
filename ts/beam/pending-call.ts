import { abortError } from "../base/deadline.ts";
import { FoundationError } from "../base/errors.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import type { From } from "./envelope.ts";

/** A call of this isolate: settled once, by the answer, an error, its time or its signal. */
export class PendingCall implements From, Expiring {
  readonly promise: Promise<unknown>;
  readonly #target: string | { toString(): string };
  readonly #timeoutMs: number;
  #resolve: (value: unknown) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;
  #onSettled: (() => void) | undefined;
  #isSettled = false;
  readonly #counts: { lateReplies: number };

  constructor(
    target: string | { toString(): string },
    timeoutMs: number,
    signal: AbortSignal | undefined,
    deadlines: Deadlines,
    counts: { lateReplies: number },
  ) {
    this.#counts = counts;
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeoutMs !== Number.POSITIVE_INFINITY) deadlines.add(timeoutMs, this);
    if (signal !== undefined) this.#listen(signal);
  }

  #listen(signal: AbortSignal): void {
    this.#signal = signal;
    this.#onAbort = () => this.fail(abortError(signal));
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Runs `action` once, however the call ends. */
  whenSettled(action: () => void): void {
    if (this.#isSettled) action();
    else this.#onSettled = action;
  }

  reply(value: unknown): void {
    if (this.#settle()) this.#resolve(value);
    else this.#counts.lateReplies++;
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  expire(): void {
    const text = `no answer from ${this.#target} within ${this.#timeoutMs} ms`;
    this.fail(new FoundationError("timeout", text));
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#onSettled?.();
    return true;
  }
}
