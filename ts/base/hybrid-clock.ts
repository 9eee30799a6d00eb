import type { Clock } from "./clock.ts";
import { FoundationError } from "./errors.ts";

/**
 * A moment of a hybrid logical clock: near the time of day, and greater than that of everything
 * which led to it (Kulkarni and others, "Logical Physical Clocks", 2014, figure 5).
 */
export interface HybridTime {
  /** The greatest time of day that was known of. Unit: ms since 1970. */
  readonly ms: number;
  /** Orders moments of the same millisecond. */
  readonly counter: number;
}

/** Largest counter: then the clock goes on a millisecond. */
export const HYBRID_COUNTER_MAX = 0xffff;

/** How a hybrid clock treats the clocks of others. */
export interface HybridClockOptions {
  /**
   * How far a moment of another node may be ahead of this one's time of day before it is refused;
   * what is accepted takes this clock along. Unit: ms. Default: 60,000.
   */
  readonly aheadMsMax?: number;
}

/** What a hybrid clock does unless options say otherwise. */
export const HYBRID_CLOCK_DEFAULTS = Object.freeze({
  aheadMsMax: 60_000, // two orders of magnitude above what clocks kept by NTP differ
});

/** A clock whose moments order events across isolates and nodes. */
export class HybridClock {
  readonly #clock: Clock;
  readonly #aheadMsMax: number;
  #ms = 0;
  #counter = 0;

  constructor(clock: Clock, options: HybridClockOptions = {}) {
    this.#clock = clock;
    this.#aheadMsMax = options.aheadMsMax ?? HYBRID_CLOCK_DEFAULTS.aheadMsMax;
  }

  /**
   * A moment that is greater than all before it: for what happens here. `now`: the time of day
   * where somebody has just asked for it.
   */
  tick(now = this.#clock.wallNow()): HybridTime {
    const wallMs = Math.floor(now);
    if (wallMs > this.#ms) this.#set(wallMs, 0);
    else this.#set(this.#ms, this.#counter + 1);
    return { ms: this.#ms, counter: this.#counter };
  }

  /** Whether a moment is no further ahead than clocks may be. */
  isAcceptable(other: HybridTime): boolean {
    return this.#isPast(other) || other.ms - this.#clock.wallNow() <= this.#aheadMsMax;
  }

  /**
   * Takes note of a moment of somebody else's: later ones of this clock are greater.
   *
   * @throws FoundationError `range_error` where it is further ahead than clocks may be
   */
  observe(other: HybridTime): void {
    if (!this.isAcceptable(other)) {
      const aheadMs = other.ms - this.#clock.wallNow();
      const text = `a clock is ${Math.round(aheadMs)} ms ahead, of ${this.#aheadMsMax} at most`;
      throw new FoundationError("range_error", text, { context: { aheadMs } });
    }
    if (!this.#isPast(other)) this.#set(other.ms, other.counter);
  }

  /** Whether a moment is known of already: most are, and no clock has to be asked for those. */
  #isPast({ ms, counter }: HybridTime): boolean {
    return ms < this.#ms || (ms === this.#ms && counter <= this.#counter);
  }

  #set(ms: number, counter: number): void {
    const isFull = counter > HYBRID_COUNTER_MAX;
    this.#ms = isFull ? ms + 1 : ms;
    this.#counter = isFull ? 0 : counter;
  }
}

/** Orders moments: negative where the first one is earlier. For `sort`. */
export function compareHybridTimes(a: HybridTime, b: HybridTime): number {
  return a.ms - b.ms || a.counter - b.counter;
}

/** Whether something is a moment of a hybrid clock. */
export function isHybridTime(value: unknown): value is HybridTime {
  if (typeof value !== "object" || value === null) return false;
  const { ms, counter } = value as Partial<HybridTime>;
  if (!Number.isSafeInteger(ms) || (ms as number) < 0) return false;
  return Number.isInteger(counter) && (counter as number) >= 0 && (counter as number) <= 0xffff;
}
