import { type Clock, SYSTEM_CLOCK } from "../../../base/clock.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { numberWithin } from "../checks.ts";
import { pause } from "./pause.ts";

/** Keys with a deadline at a time; beyond it, those that are over are forgotten. */
const SWEEP_AT = 1_000;

/**
 * Until when all who use a key hold back: one of them was told so by the other side, and what holds
 * for one holds for all. A deadline is only ever moved on, never back.
 */
export class BackoffWindow {
  readonly #clock: Clock;
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /**
   * Holds a key back for so long from now on, unless it is held back for longer already.
   *
   * @throws FoundationError `invalid_options`
   */
  extend(key: string, delayMs: number): void {
    numberWithin("delayMs", delayMs, [0, DELAY_MS_MAX]);
    const untilMs = this.#clock.now() + delayMs;
    if (untilMs <= (this.#untilMs.get(key) ?? 0)) return;
    if (this.#untilMs.size >= SWEEP_AT) this.#sweep();
    this.#untilMs.set(key, untilMs);
  }

  /** How long a key is held back. Unit: ms; 0 where it is not. */
  remainingMs(key: string): number {
    return Math.max(0, (this.#untilMs.get(key) ?? 0) - this.#clock.now());
  }

  /** Whether a key is held back. */
  isActive(key: string): boolean {
    return this.remainingMs(key) > 0;
  }

  /** Does not hold a key back any more. */
  clear(key: string): void {
    this.#untilMs.delete(key);
  }

  /**
   * Waits until a key is not held back any more, also where it is held back anew meanwhile.
   *
   * @throws FoundationError `aborted`
   */
  async wait(key: string, signal?: AbortSignal): Promise<void> {
    for (let ms = this.remainingMs(key); ms > 0; ms = this.remainingMs(key)) {
      await pause(this.#clock, ms, signal);
    }
  }

  #sweep(): void {
    const nowMs = this.#clock.now();
    for (const [key, untilMs] of this.#untilMs) {
      if (untilMs <= nowMs) this.#untilMs.delete(key);
    }
  }
}
