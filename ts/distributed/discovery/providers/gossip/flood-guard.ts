/** What one sender may send. 200 nodes of one host send 80 in a second. Unit: packets a second. */
const SOURCE_RATE = 400;
/** What all may send together: the work for so many is 2 % of a core. Unit: packets a second. */
const TOTAL_RATE = 4_000;
/** Senders that are remembered; who was heard longest ago is forgotten first. */
const SOURCES_MAX = 1_024;

/** So many in a second, and no more at once. */
class Allowance {
  readonly #rate: number;
  #left: number;
  #atMs: number;

  constructor(rate: number, nowMs: number) {
    this.#rate = rate;
    this.#left = rate;
    this.#atMs = nowMs;
  }

  take(nowMs: number): boolean {
    const gained = ((nowMs - this.#atMs) * this.#rate) / 1_000;
    this.#left = Math.min(this.#rate, this.#left + gained);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** Bounds the packets that are looked at, for each sender and for all together. */
export class FloodGuard {
  readonly #sources = new Map<string, Allowance>();
  readonly #total: Allowance;

  /** `nowMs`: on a clock that never goes back. */
  constructor(nowMs: number) {
    this.#total = new Allowance(TOTAL_RATE, nowMs);
  }

  /** How many senders are remembered. */
  get size(): number {
    return this.#sources.size;
  }

  /** Whether a packet of this sender is looked at. */
  admits(source: string, nowMs: number): boolean {
    const allowance = this.#sources.get(source) ?? new Allowance(SOURCE_RATE, nowMs);
    this.#sources.delete(source);
    this.#sources.set(source, allowance);
    if (this.#sources.size > SOURCES_MAX) {
      const [oldest] = this.#sources.keys();
      this.#sources.delete(oldest as string);
    }
    // Who sends too much takes nothing from what is left for the others.
    return allowance.take(nowMs) && this.#total.take(nowMs);
  }
}
