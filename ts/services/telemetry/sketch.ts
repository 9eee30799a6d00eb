/**
 * Relative error of a quantile: 1 %. DDSketch: Masson, Rim, Lee, "DDSketch: A Fast and
 * Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019.
 */
const ACCURACY = 0.01;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);
/** Buckets of one sign. At 1 % that is a range of 10^17; smaller values share the lowest. */
const BUCKETS_MAX = 2_048;
/** What is closer to zero counts as zero. */
const SMALLEST = 1e-9;

/** What is known of a distribution. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Values of one sign, by the logarithm of their size. */
class Buckets {
  readonly #counts = new Map<number, number>();
  total = 0;

  add(size: number, count: number): void {
    const index = Math.ceil(Math.log(size) / LOG_GAMMA);
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + count);
    this.total += count;
    if (this.#counts.size > BUCKETS_MAX) this.#collapse();
  }

  merge(other: Buckets): void {
    for (const [index, count] of other.#counts) {
      this.#counts.set(index, (this.#counts.get(index) ?? 0) + count);
    }
    this.total += other.total;
    while (this.#counts.size > BUCKETS_MAX) this.#collapse();
  }

  /** The size below which `rank` values lie; from the smallest, or from the largest. */
  sizeAt(rank: number, isFromLargest: boolean): number {
    const indices = [...this.#counts.keys()].sort((a, b) => (isFromLargest ? b - a : a - b));
    let seen = 0;
    for (const index of indices) {
      seen += this.#counts.get(index) ?? 0;
      if (seen > rank) return (2 * GAMMA ** index) / (GAMMA + 1);
    }
    return 0;
  }

  #collapse(): void {
    const [lowest, second] = [...this.#counts.keys()].sort((a, b) => a - b) as [number, number];
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + (this.#counts.get(lowest) ?? 0));
    this.#counts.delete(lowest);
  }
}

/** A distribution of numbers in bounded memory: quantiles within 1 % of the value, mergeable. */
export class Sketch {
  readonly #positive = new Buckets();
  readonly #negative = new Buckets();
  #zeros = 0;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  /** Adds a finite number. */
  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    if (value > SMALLEST) this.#positive.add(value, 1);
    else if (value < -SMALLEST) this.#negative.add(-value, 1);
    else this.#zeros += 1;
  }

  /** Adds all that another one has seen. */
  merge(other: Sketch): void {
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#positive.merge(other.#positive);
    this.#negative.merge(other.#negative);
    this.#zeros += other.#zeros;
  }

  /** The value that a part `q` of all lies below, from 0 to 1; `NaN` where there are none. */
  quantile(q: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = q * (this.#count - 1);
    const value = this.#valueAt(rank);
    return Math.min(this.#max, Math.max(this.#min, value));
  }

  #valueAt(rank: number): number {
    if (rank < this.#negative.total) return -this.#negative.sizeAt(rank, true);
    const behind = rank - this.#negative.total;
    return behind < this.#zeros ? 0 : this.#positive.sizeAt(behind - this.#zeros, false);
  }

  /** Count, sum, extremes, mean and quantiles. */
  summary(): Distribution {
    return {
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
      mean: this.#sum / this.#count,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
    };
  }
}
