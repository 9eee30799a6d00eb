/** A message that will be sent. */
export class TimerRef {
  readonly #dueAt: number;
  readonly #onOver: (timer: TimerRef) => void;
  #timeout: NodeJS.Timeout | undefined;

  /** Runs `action` in so many milliseconds, unless it is cancelled; `onOver` runs either way. */
  constructor(delayMs: number, action: () => void, onOver: (timer: TimerRef) => void) {
    this.#dueAt = performance.now() + delayMs;
    this.#onOver = onOver;
    this.#timeout = setTimeout(() => {
      this.#timeout = undefined;
      onOver(this);
      action();
    }, delayMs);
  }

  /** Stops the timer: how much was left. Undefined where it is over. Unit: ms. */
  cancel(): number | undefined {
    if (this.#timeout === undefined) return undefined;
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
    this.#onOver(this);
    return Math.max(0, this.#dueAt - performance.now());
  }
}

/** Timers that end with whoever set them. */
export class Timers {
  readonly #running = new Set<TimerRef>();

  /** Runs `action` in so many milliseconds. */
  start(delayMs: number, action: () => void): TimerRef {
    const timer = new TimerRef(delayMs, action, (over) => this.#running.delete(over));
    this.#running.add(timer);
    return timer;
  }

  /** Stops all of them. */
  cancelAll(): void {
    for (const timer of this.#running) timer.cancel();
  }
}
