/** Before the first attempt to start all workers anew. Unit: ms. */
const FIRST_MS = 1_000;
/** Longest pause between two attempts. Unit: ms. */
const MAX_MS = 30_000;

/** Starts again, after a pause that grows, what has given up. */
export class Healing {
  readonly #nowMs: () => number;
  readonly #start: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #times = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #count = 0;

  constructor(nowMs: () => number, start: () => Promise<void>) {
    this.#nowMs = nowMs;
    this.#start = start;
  }

  /** Starts that went well. */
  get count(): number {
    return this.#count;
  }

  /** It has ended: it is started again after a pause. */
  begin(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    // What has lasted since is none of the same trouble.
    if (this.#nowMs() - this.#lastMs > 2 * MAX_MS) this.#times = 0;
    const pauseMs = Math.min(MAX_MS, FIRST_MS * 2 ** this.#times);
    this.#times++;
    this.#timer = setTimeout(() => void this.#try(), pauseMs);
  }

  async #try(): Promise<void> {
    this.#timer = undefined;
    this.#lastMs = this.#nowMs();
    try {
      await this.#start();
      this.#count++;
    } catch {
      this.begin(); // told by the process that did not start
    }
  }

  /** Nothing is started any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
