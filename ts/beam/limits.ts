/** Why an isolate was ended by policy: the exit reason of its process. */
export type LimitExceeded =
  | {
      readonly kind: "stalled";
      /** The limit. Unit: ms. */
      readonly stallMs: number;
      /** What it ran, one frame a line, the innermost first. Empty in a native call. */
      readonly stack: string;
    }
  | {
      readonly kind: "offHeap";
      /** The limit. Unit: bytes. */
      readonly limitBytes: number;
      /** What was found. Unit: bytes. */
      readonly externalBytes: number;
    };

/** Limits of an isolate, kept by the watchdog of its node. */
export interface IsolateLimits {
  /** Longest time without a poll of the event loop. Unit: ms. */
  readonly stallMs: number | undefined;
  /** Largest memory outside of the heap. Unit: bytes. */
  readonly offHeapBytes: number | undefined;
}

/** What an isolate says of itself that limits are about. */
export interface LimitedReport {
  readonly stack: string;
  readonly externalBytes: number;
}

/** How an isolate is asked for a report. */
export interface Interruptible {
  /** Asks; answers with the number of the request, 0 where the isolate is gone. */
  interrupt(): number;
  /** The answer to a request, once there is one. */
  takeReport(request: number): LimitedReport | undefined;
}

/** What a stall looked like. */
export interface StallFound {
  /** For how long the event loop has not polled. Unit: ms. */
  readonly runningMs: number;
  /** One frame a line, the innermost first. Empty in a native call. */
  readonly stack: string;
}

/** A limit has to be longer than what lies between two looks at an isolate. Unit: ms. */
export const STALL_MS_MIN = 50;
/** What an isolate gets to tell its stack; in a native call it cannot. Unit: ms. */
const STACK_WAIT_MS = 200;
/** Looks at a waiting loop after it ran: the turn that answers the first may go on after that. */
const LOOKS_AFTER_RUN = 2;

/** Sees that an event loop does not poll. Tells of each stall once. */
export class StallWatch {
  readonly #stallMs: number;
  readonly #isolate: Interruptible;
  #lastMs = 0;
  #request: number | undefined;
  #askedAtMs = 0;
  #isTold = false;

  /** `stallMs` must be longer than the time between two looks. */
  constructor(stallMs: number, isolate: Interruptible) {
    this.#stallMs = stallMs;
    this.#isolate = isolate;
  }

  /** Looks once; answers with a stall as soon as its stack is known, or cannot be. */
  look(runningMs: number): StallFound | undefined {
    const isSameTurn = runningMs >= this.#lastMs;
    this.#lastMs = runningMs;
    if (!isSameTurn || runningMs < this.#stallMs) {
      this.#request = undefined;
      this.#isTold = false;
    }
    if (runningMs < this.#stallMs || this.#isTold) return undefined;
    if (this.#request === undefined) {
      this.#request = this.#isolate.interrupt();
      this.#askedAtMs = runningMs;
    }
    const report = this.#isolate.takeReport(this.#request);
    if (report === undefined && runningMs < this.#askedAtMs + STACK_WAIT_MS) return undefined;
    this.#isTold = true;
    return { runningMs, stack: report?.stack ?? "" };
  }
}

/**
 * Measures the memory of an isolate outside of its heap. A request to a loop that waits is answered
 * when it runs JavaScript again, so there always is one under way: who does not run cannot grow,
 * and is woken only where it has run since it was measured.
 */
export class OffHeapWatch {
  readonly #limitBytes: number;
  readonly #isolate: Interruptible;
  readonly #wake: () => void;
  #request = 0;
  #isWoken = false;
  #looksLeft = LOOKS_AFTER_RUN;

  /** `wake` has a loop that waits run some JavaScript. */
  constructor(limitBytes: number, isolate: Interruptible, wake: () => void) {
    this.#limitBytes = limitBytes;
    this.#isolate = isolate;
    this.#wake = wake;
  }

  /** Looks once; answers with what it found where that is above the limit. Unit: bytes. */
  look(runningMs: number): number | undefined {
    const report = this.#request === 0 ? undefined : this.#isolate.takeReport(this.#request);
    if (report !== undefined) {
      if (report.externalBytes > this.#limitBytes) return report.externalBytes;
      this.#looksLeft = this.#isWoken ? Math.max(0, this.#looksLeft - 1) : LOOKS_AFTER_RUN;
      this.#request = 0;
    }
    if (runningMs > 0) this.#looksLeft = LOOKS_AFTER_RUN;
    if (this.#request === 0) {
      this.#request = this.#isolate.interrupt();
      this.#isWoken = false;
    }
    if (runningMs === 0 && this.#looksLeft > 0 && !this.#isWoken) {
      this.#isWoken = true;
      this.#wake();
    }
    return undefined;
  }
}
