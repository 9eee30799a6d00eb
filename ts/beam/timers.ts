/** A message that will be sent. */
export class TimerRef {
  readonly #dueAt: number;
  #timeout: NodeJS.Timeout | undefined;

  /** Runs `action` in so many milliseconds, unless it is cancelled. */
  constructor(delayMs: number, action: () => void) {
    this.#dueAt = performance.now() + delayMs;
    this.#timeout = setTimeout(() => {
      this.#timeout = undefined;
      action();
    }, delayMs);
  }

  /** Stops the timer: how much was left. Undefined where it is over. Unit: ms. */
  cancel(): number | undefined {
    if (this.#timeout === undefined) return undefined;
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
    return Math.max(0, this.#dueAt - performance.now());
  }
}
