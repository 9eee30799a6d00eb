/** Random numbers that a seed repeats; the seed is printed, so a failure can be run again. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    // Zero would stay zero for ever.
    this.#state = this.seed === 0 ? 0x9e37_79b9 : this.seed;
  }

  /** A whole number below `bound`, by xorshift32. */
  below(bound: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % bound;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** Bytes that no shift, swap or cut leaves equal. */
  bytes(count: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(count / 4));
    for (let index = 0; index < words.length; index++) words[index] = this.below(0x1_0000_0000);
    return new Uint8Array(words.buffer, 0, count);
  }
}

/** A generator from the seed of `FOUNDATION_TEST_SEED`, or from a fresh one; says which. */
export function printedRandom(purpose: string): SeededRandom {
  const given = process.env["FOUNDATION_TEST_SEED"];
  const seed = given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given);
  console.info(`${purpose}: FOUNDATION_TEST_SEED=${seed} repeats this run`);
  return new SeededRandom(seed);
}
