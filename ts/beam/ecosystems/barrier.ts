/** How often a time doubles. */
const DOUBLINGS_MAX = 4;

/** A size that is not to be tried again for a while, longer with each time that it was wrong. */
export class Barrier {
  readonly #rememberMs: number;
  #size = 0;
  #untilMs = Number.NEGATIVE_INFINITY;
  #forMs = 0;
  #times = 0;

  constructor(rememberMs: number) {
    this.#rememberMs = rememberMs;
  }

  /** The size, for as long as it stands. Unit: workers. */
  at(nowMs: number): number | undefined {
    return nowMs < this.#untilMs ? this.#size : undefined;
  }

  /** That size has turned out to be wrong. */
  raise(size: number, nowMs: number): void {
    // What is wrong again soon after it was tried again is wrong for longer.
    const isAgain = size === this.#size && nowMs < this.#untilMs + 2 * this.#forMs;
    this.#times = isAgain ? Math.min(this.#times + 1, DOUBLINGS_MAX) : 0;
    this.#size = size;
    this.#forMs = this.#rememberMs * 2 ** this.#times;
    this.#untilMs = nowMs + this.#forMs;
  }

  /** That size is right: what stands there, or below it, was wrong. */
  lower(size: number): void {
    if (size < this.#size) return;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    this.#forMs = 0;
    this.#times = 0;
  }
}
