import { type Clock, SYSTEM_CLOCK } from "../../../base/clock.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { knownKeys, numberWithin, wholeNumber } from "../checks.ts";
import { BackoffWindow } from "./backoff-window.ts";
import { CountingSemaphore, type Release, WeightedSemaphore } from "./semaphores.ts";
import type { LineOptions } from "./waiting-line.ts";

/** How much is under way to one service at a time. Defaults: {@link DISPATCH_DEFAULTS}. */
export interface DispatchOptions {
  /** Requests at a time. Unit: requests. */
  readonly concurrency?: number;
  /** Requests at a time for a while after the service asked to hold back. Unit: requests. */
  readonly throttledConcurrency?: number;
  /** Bytes of requests at a time. Unit: bytes. */
  readonly byteBudget?: number;
  /** How many times its bytes a request counts while the service is held back. Unit: times. */
  readonly throttledByteFactor?: number;
  /** For how long the service is spared after it was held back. Unit: ms. */
  readonly throttledForMs?: number;
  /** Takes the time. Default: the system's clock. */
  readonly clock?: Clock;
}

/** How much is under way at a time unless the options say otherwise. */
export const DISPATCH_DEFAULTS = Object.freeze({
  concurrency: 400, // as Foundation 0.2
  throttledConcurrency: 10, // as Foundation 0.2
  byteBudget: 5 << 20, // as Foundation 0.2
  throttledByteFactor: 20, // as Foundation 0.2
  throttledForMs: 10_000, // as Foundation 0.2
});

const COUNTS = [1, Number.MAX_SAFE_INTEGER] as const;

/** Sends work to one service: not too much at a time, and less of it after it was told to wait. */
export class Dispatch {
  readonly #clock: Clock;
  readonly #options: Required<DispatchOptions>;
  readonly #all: CountingSemaphore;
  readonly #throttled: CountingSemaphore;
  readonly #bytes: WeightedSemaphore;
  readonly #window: BackoffWindow;
  #spareUntilMs = Number.NEGATIVE_INFINITY;

  /** @throws FoundationError `invalid_options` */
  constructor(options: DispatchOptions = {}) {
    const known = [...Object.keys(DISPATCH_DEFAULTS), "clock"];
    knownKeys("the options of a dispatch", options, known);
    this.#options = { ...DISPATCH_DEFAULTS, clock: SYSTEM_CLOCK, ...options };
    const { clock, concurrency, throttledConcurrency, byteBudget } = this.#options;
    wholeNumber("concurrency", concurrency, COUNTS);
    wholeNumber("throttledConcurrency", throttledConcurrency, COUNTS);
    wholeNumber("byteBudget", byteBudget, COUNTS);
    numberWithin("throttledByteFactor", this.#options.throttledByteFactor, [1, 1_000_000]);
    numberWithin("throttledForMs", this.#options.throttledForMs, [0, DELAY_MS_MAX]);
    this.#clock = clock;
    this.#all = new CountingSemaphore(concurrency, clock);
    this.#throttled = new CountingSemaphore(throttledConcurrency, clock);
    this.#bytes = new WeightedSemaphore(byteBudget, clock);
    this.#window = new BackoffWindow(clock);
  }

  /**
   * The service asked to hold back for so long: nothing new is sent before, little for a while
   * after.
   */
  holdBack(delayMs: number): void {
    this.#window.extend("", delayMs);
    const untilMs = this.#clock.now() + delayMs + this.#options.throttledForMs;
    this.#spareUntilMs = Math.max(this.#spareUntilMs, untilMs);
  }

  /** Whether the service is held back, or spared after it was. */
  get isThrottled(): boolean {
    return this.#clock.now() < this.#spareUntilMs;
  }

  /** What is under way. Unit: requests, bytes. */
  get load(): { readonly requests: number; readonly bytesLeft: number; readonly waiting: number } {
    const waiting = this.#all.waiting + this.#throttled.waiting + this.#bytes.waiting;
    return { requests: this.#all.inUse, bytesLeft: this.#bytes.left, waiting };
  }

  /**
   * Runs a function that sends so many bytes, when there is room for it. Unit: bytes.
   *
   * @throws FoundationError `timeout`, `aborted`, `too_many_waiting`, `invalid_options`; what the
   *   function throws
   */
  async run<T>(bytes: number, run: () => T | Promise<T>, options: LineOptions = {}): Promise<T> {
    wholeNumber("bytes", bytes, [0, Number.MAX_SAFE_INTEGER]);
    const releases: Release[] = [];
    try {
      releases.push(await this.#all.acquire(options));
      if (this.isThrottled) releases.push(await this.#throttled.acquire(options));
      const isHeld = this.#window.isActive("");
      const weight = isHeld ? bytes * this.#options.throttledByteFactor : bytes;
      releases.push(await this.#bytes.acquire(weight, options));
      await this.#window.wait("", options.signal);
      return await run();
    } finally {
      for (const release of releases.reverse()) release();
    }
  }
}
