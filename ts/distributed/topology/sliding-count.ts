/** Buckets of a window: its edge is off by a twelfth. */
const BUCKETS = 12;

/** How often something happened in the last so many milliseconds, in constant memory. */
export class SlidingCount {
  readonly #bucketMs: number;
  readonly #counts = new Array<number>(BUCKETS).fill(0);
  #newest = 0;

  /** `windowMs`: how far it looks back. Unit: ms. */
  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  /** It has happened. `nowMs` never goes back. */
  add(nowMs: number): void {
    this.#advance(nowMs);
    const at = this.#newest % BUCKETS;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** How often, up to now. */
  total(nowMs: number): number {
    this.#advance(nowMs);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #advance(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const passed = Math.min(BUCKETS, bucket - this.#newest);
    for (let step = 1; step <= passed; step++) this.#counts[(bucket - passed + step) % BUCKETS] = 0;
    this.#newest = Math.max(this.#newest, bucket);
  }
}
