import type { Clock } from "../../base/clock.ts";
import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";
import { type Distribution, Sketch } from "./sketch.ts";
import type { Metric } from "./telemetry-types.ts";

/** One metric, while it is being measured. */
class Series {
  readonly name: TelemetryName;
  readonly metadata: Metadata;
  readonly #values = new Map<string, number>();
  readonly #sketches = new Map<string, Sketch>();
  count = 0;
  lastMs = 0;

  constructor(name: TelemetryName, metadata: Metadata) {
    this.name = [...name];
    this.metadata = metadata;
  }

  add(measurements: Measurements, nowMs: number): void {
    this.count += 1;
    this.lastMs = nowMs;
    for (const key in measurements) {
      const value = measurements[key];
      if (typeof value !== "number" || !Number.isFinite(value)) continue;
      if (key === "counter" || key === "count") {
        this.#values.set(key, (this.#values.get(key) ?? 0) + value);
      } else if (key === "gauge") this.#values.set(key, value);
      else this.#sketchOf(key).add(value);
    }
  }

  snapshot(wallOffsetMs: number): Metric {
    const measurements: Record<string, number> = Object.fromEntries(this.#values);
    const distributions: Record<string, Distribution> = {};
    for (const [key, sketch] of this.#sketches) {
      const distribution = sketch.summary();
      distributions[key] = distribution;
      measurements[key] = distribution.mean;
    }
    const { metadata, count } = this;
    const timestamp = this.lastMs + wallOffsetMs;
    return { timestamp, measurements, metadata, count, distributions };
  }

  #sketchOf(key: string): Sketch {
    const known = this.#sketches.get(key);
    if (known !== undefined) return known;
    const sketch = new Sketch();
    this.#sketches.set(key, sketch);
    return sketch;
  }
}

/** A word of a name: what begins with it, and what ends here. */
interface Word {
  readonly below: Map<string, Word>;
  series: Series | undefined;
}

/**
 * Metrics by name. A name is walked word by word, so that an event costs a look-up for each word
 * and no text is put together.
 */
export class MetricStore {
  readonly #clock: Clock;
  readonly #seriesMax: number;
  #root: Word = { below: new Map(), series: undefined };
  #size = 0;
  /** Events of names beyond the limit. */
  dropped = 0;

  constructor(clock: Clock, seriesMax: number) {
    this.#clock = clock;
    this.#seriesMax = seriesMax;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an event. */
  record(name: TelemetryName, measurements: Measurements, metadata: Metadata): void {
    let at = this.#root;
    for (let index = 0; index < name.length; index++) {
      const word = name[index] as string;
      let below = at.below.get(word);
      if (below === undefined) {
        if (this.#size >= this.#seriesMax) {
          this.dropped += 1;
          return;
        }
        below = { below: new Map(), series: undefined };
        at.below.set(word, below);
      }
      at = below;
    }
    if (at.series === undefined) {
      if (this.#size >= this.#seriesMax) {
        this.dropped += 1;
        return;
      }
      at.series = new Series(name, metadata);
      this.#size += 1;
    }
    at.series.add(measurements, this.#clock.now());
  }

  /** Name and snapshot of each metric whose name begins with these words. */
  *entries(prefix: TelemetryName = []): Generator<[TelemetryName, Metric]> {
    let at: Word | undefined = this.#root;
    for (const word of prefix) at = at?.below.get(word);
    if (at === undefined) return;
    const wallOffsetMs = this.#clock.wallNow() - this.#clock.now();
    for (const series of seriesBelow(at)) yield [series.name, series.snapshot(wallOffsetMs)];
  }

  /** Forgets what was not measured for a time; answers with how many that were. */
  forgetOlderThan(ageMs: number): number {
    const before = this.#size;
    this.#prune(this.#root, this.#clock.now() - ageMs);
    return before - this.#size;
  }

  clear(): void {
    this.#root = { below: new Map(), series: undefined };
    this.#size = 0;
    this.dropped = 0;
  }

  #prune(at: Word, oldestMs: number): boolean {
    for (const [word, below] of at.below) {
      if (this.#prune(below, oldestMs)) at.below.delete(word);
    }
    if (at.series !== undefined && at.series.lastMs < oldestMs) {
      at.series = undefined;
      this.#size -= 1;
    }
    return at.series === undefined && at.below.size === 0;
  }
}

function* seriesBelow(at: Word): Generator<Series> {
  if (at.series !== undefined) yield at.series;
  for (const below of at.below.values()) yield* seriesBelow(below);
}
