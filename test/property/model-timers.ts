interface Due {
  readonly atMs: number;
  readonly action: () => void;
}

/** Timers of a model, at a clock that the test moves: by time, and of one time as they were set. */
export class ModelTimers {
  readonly #due = new Map<number, Due>();
  #number = 0;
  #nowMs = 0;

  /** The number of the timer. */
  start(delayMs: number, action: () => void): number {
    this.#due.set(++this.#number, { atMs: this.#nowMs + delayMs, action });
    return this.#number;
  }

  /** What was left of it; undefined where it is over. */
  cancel(timer: number): number | undefined {
    const due = this.#due.get(timer);
    this.#due.delete(timer);
    return due && due.atMs - this.#nowMs;
  }

  /** Runs what is due until then. */
  advance(ms: number): void {
    this.#nowMs += ms;
    for (;;) {
      const due = [...this.#due].filter(([, { atMs }]) => atMs <= this.#nowMs);
      // In the order they were set: the sort keeps it among those of one time.
      const [first] = due.toSorted(([, a], [, b]) => a.atMs - b.atMs);
      if (first === undefined) return;
      this.#due.delete(first[0]);
      first[1].action();
    }
  }
}
