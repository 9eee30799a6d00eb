/**
 * Relative error of a quantile: 1 %. DDSketch: Masson, Rim, Lee, "DDSketch: A Fast and
 * Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019.
 */
const ACCURACY = 0.01;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const PER_LOG = 1 / Math.log(GAMMA);
/** Buckets of one sign. At 1 % that is a range of 10^17; smaller values share the lowest. */
const BUCKETS_MAX = 2_048;
/** Buckets that are made at a time: 512 bytes. */
const STEP = 64;
const NO_COUNTS = new Float64Array(0);

/** Bucket numbers and counts in turn: those that are not empty, by size. */
export type BucketData = readonly number[];

/** Positive values by the logarithm of their size, in one array from the smallest seen on. */
export class SketchBuckets {
  #counts: Float64Array = NO_COUNTS;
  /** Bucket number of the first count. */
  #first = 0;
  /** The highest one with a count. */
  #high = 0;
  total = 0;

  add(size: number): void {
    const bucket = Math.ceil(Math.log(size) * PER_LOG);
    const isNear = bucket <= this.#high && bucket >= this.#first && this.total > 0;
    const at = isNear ? bucket - this.#first : this.#reach(bucket);
    (this.#counts[at] as number) += 1;
    this.total += 1;
  }

  merge(other: SketchBuckets): void {
    if (this.total === 0) return this.#copy(other);
    other.#each((bucket, count) => this.#put(bucket, count));
  }

  /** The size below which `rank` values lie; from the smallest, or from the largest. */
  sizeAt(rank: number, isFromLargest: boolean): number {
    const counts = this.#counts;
    let seen = 0;
    for (let step = 0; step < counts.length; step++) {
      const at = isFromLargest ? counts.length - 1 - step : step;
      seen += counts[at] as number;
      if (seen > rank) return sizeOf(this.#first + at);
    }
    return 0;
  }

  /** How many values are as large as `size` or smaller, each taken for its bucket's size. */
  countAtMost(size: number): number {
    let seen = 0;
    this.#each((bucket, count) => {
      if (sizeOf(bucket) <= size) seen += count;
    });
    return seen;
  }

  toData(): BucketData {
    const data: number[] = [];
    this.#each((bucket, count) => void data.push(bucket, count));
    return data;
  }

  takeData(data: BucketData): void {
    // Room for the highest first: the others are below it.
    const highest = data.at(-2);
    if (highest !== undefined) this.#reach(highest);
    for (let at = 0; at + 1 < data.length; at += 2) {
      this.#put(data[at] as number, data[at + 1] as number);
    }
  }

  #copy(other: SketchBuckets): void {
    this.#counts = other.#counts.slice();
    this.#first = other.#first;
    this.#high = other.#high;
    this.total = other.total;
  }

  #put(bucket: number, count: number): void {
    const at = this.#reach(bucket);
    (this.#counts[at] as number) += count;
    this.total += count;
  }

  #each(take: (bucket: number, count: number) => void): void {
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at] as number;
      if (count > 0) take(this.#first + at, count);
    }
  }

  /**
   * Where the count of a bucket is, room made for it. What is more than so many buckets below the
   * highest shares the lowest, in whatever order the values come.
   */
  #reach(bucket: number): number {
    if (this.#counts.length === 0) {
      this.#counts = new Float64Array(STEP);
      this.#first = bucket;
      this.#high = bucket;
      return 0;
    }
    const high = Math.max(this.#high, bucket);
    const target = Math.max(bucket, high - BUCKETS_MAX + 1);
    if (target < this.#first || high >= this.#first + this.#counts.length) {
      this.#move(target, high);
    }
    this.#high = high;
    return target - this.#first;
  }

  /** Makes the array reach from `low`, or where it begins, to `high`. */
  #move(low: number, high: number): void {
    const least = Math.max(Math.min(this.#first, low), high - BUCKETS_MAX + 1);
    const size = Math.min(BUCKETS_MAX, Math.ceil((high - least + 1) / STEP) * STEP);
    // The room to spare is on the side that values came from.
    const first = low < this.#first ? high - size + 1 : least;
    const counts = new Float64Array(size);
    this.#each((bucket, count) => {
      (counts[Math.max(0, bucket - first)] as number) += count;
    });
    this.#counts = counts;
    this.#first = first;
  }
}

function sizeOf(bucket: number): number {
  return (2 * GAMMA ** bucket) / (GAMMA + 1);
}
