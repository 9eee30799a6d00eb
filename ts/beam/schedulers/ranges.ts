/** A range of items that nobody has taken yet: from `begin` on, before `end`. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

const SHIFT = 32n;
const LOW = 0xffff_ffffn;

/**
 * One range of items for each scheduler, in memory that all of them share. A range is one 64-bit
 * word, so that its owner takes from the front and others take the back half away without a lock.
 * What a scheduler leaves behind when it ends can be taken as before.
 */
export class Ranges {
  readonly memory: SharedArrayBuffer;
  readonly #words: BigUint64Array;

  /** `memory`: of another isolate's ranges. */
  constructor(schedulers: number, memory = new SharedArrayBuffer(8 * schedulers)) {
    this.memory = memory;
    this.#words = new BigUint64Array(memory);
  }

  /** Number of schedulers. */
  get size(): number {
    return this.#words.length;
  }

  /** Gives a scheduler a range; what it had is forgotten. */
  assign(scheduler: number, { begin, end }: Range): void {
    Atomics.store(this.#words, scheduler, (BigInt(end) << SHIFT) | BigInt(begin));
  }

  /** What a scheduler has. */
  of(scheduler: number): Range {
    const word = Atomics.load(this.#words, scheduler);
    return { begin: Number(word & LOW), end: Number(word >> SHIFT) };
  }

  /** Deals `items` out in equal parts. */
  deal(items: number): void {
    for (let scheduler = 0; scheduler < this.size; scheduler++) {
      const begin = Math.floor((items * scheduler) / this.size);
      this.assign(scheduler, { begin, end: Math.floor((items * (scheduler + 1)) / this.size) });
    }
  }

  /** Takes the first of a scheduler's own items; undefined where it has none left. */
  take(scheduler: number): number | undefined {
    for (;;) {
      const word = Atomics.load(this.#words, scheduler);
      const begin = word & LOW;
      if (begin >= word >> SHIFT) return undefined;
      if (Atomics.compareExchange(this.#words, scheduler, word, word + 1n) === word) {
        return Number(begin);
      }
    }
  }

  /**
   * Takes the back half of the longest range of the others, the last item too, and makes it the
   * scheduler's own. False where nobody has any left.
   */
  steal(scheduler: number): boolean {
    for (;;) {
      let victim = -1;
      let longest = 0;
      for (let other = 0; other < this.size; other++) {
        const { begin, end } = this.of(other);
        if (other === scheduler || end - begin <= longest) continue;
        longest = end - begin;
        victim = other;
      }
      if (victim < 0) return false;
      const word = Atomics.load(this.#words, victim);
      const [begin, end] = [Number(word & LOW), Number(word >> SHIFT)];
      if (begin >= end) continue;
      const middle = begin + Math.floor((end - begin) / 2);
      const rest = (BigInt(middle) << SHIFT) | BigInt(begin);
      if (Atomics.compareExchange(this.#words, victim, word, rest) !== word) continue;
      this.assign(scheduler, { begin: middle, end });
      return true;
    }
  }
}
