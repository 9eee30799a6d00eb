import { type BucketData, SketchBuckets } from "./sketch-buckets.ts";

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

/** A sketch as plain data, for a journey in a message. */
export interface SketchData {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly zeros: number;
  readonly positive: BucketData;
  readonly negative: BucketData;
}

/** A distribution of numbers in bounded memory: quantiles within 1 % of the value, mergeable. */
export class Sketch {
  readonly #positive = new SketchBuckets();
  readonly #negative = new SketchBuckets();
  #zeros = 0;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** The sketch that {@link toData} was asked for. */
  static from(data: SketchData): Sketch {
    const sketch = new Sketch();
    sketch.#count = data.count;
    sketch.#sum = data.sum;
    sketch.#min = data.min;
    sketch.#max = data.max;
    sketch.#zeros = data.zeros;
    sketch.#positive.takeData(data.positive);
    sketch.#negative.takeData(data.negative);
    return sketch;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** Adds a finite number. */
  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    if (value > SMALLEST) this.#positive.add(value);
    else if (value < -SMALLEST) this.#negative.add(-value);
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

  /** How many values are at most `bound`; those within 1 % of it may be on either side. */
  countAtMost(bound: number): number {
    if (bound >= this.#max) return this.#count;
    if (bound < this.#min) return 0;
    const negative = this.#negative.total;
    if (bound < -SMALLEST) return negative - this.#negative.countAtMost(-bound);
    const positive = bound > SMALLEST ? this.#positive.countAtMost(bound) : 0;
    return bound < 0 ? negative : negative + this.#zeros + positive;
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

  /** All of it as plain data. */
  toData(): SketchData {
    return {
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
      zeros: this.#zeros,
      positive: this.#positive.toData(),
      negative: this.#negative.toData(),
    };
  }
}
