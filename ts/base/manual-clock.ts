import type { CancelTimer, Clock } from "./clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told to go on: for tests of what waits. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  readonly #wallStartMs: number;
  #nowMs = 0;

  /** `wallStartMs`: the time of day that it starts at. Unit: ms since 1970. */
  constructor(wallStartMs = 1_700_000_000_000) {
    this.#wallStartMs = wallStartMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  after(delayMs: number, run: () => void): CancelTimer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that have not run yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Goes on, running each timer at its time, in order; also those that others set on the way. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.run();
    }
    this.#nowMs = endMs;
  }

  /** As `advance`, but what was waiting for a timer gets its turn before time goes on. */
  async advanceAsync(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await settled();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.run();
      await settled();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && timer.dueMs < (next?.dueMs ?? Number.POSITIVE_INFINITY)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Promises that are settled already have called back. */
async function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
