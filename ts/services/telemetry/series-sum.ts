import type { Metadata, TelemetryName } from "../sinks.ts";
import type { MetricDescription } from "./descriptions.ts";
import type { NamedPart } from "./metric-store.ts";
import type { MetricLabels } from "./series.ts";
import { type Distribution, Sketch } from "./sketch.ts";
import type { LabelledMetric, Metric } from "./telemetry-types.ts";

/** A gauge as one isolate has it. */
interface IsolateGauge {
  readonly value: number;
  readonly timestamp: number;
}

/** What several isolates measured under one name and one set of labels. */
export class SeriesSum {
  readonly name: TelemetryName;
  readonly labels: MetricLabels;
  readonly metadata: Metadata;
  description: Required<MetricDescription> | undefined;
  readonly sums = new Map<string, number>();
  /** By isolate. */
  readonly gauges = new Map<string, IsolateGauge>();
  readonly sketches = new Map<string, Sketch>();
  #count = 0;
  #timestamp = 0;

  constructor({ name, metadata }: Pick<SeriesSum, "name" | "metadata">, labels: MetricLabels) {
    this.name = name;
    this.labels = labels;
    this.metadata = metadata;
  }

  /** Adds what an isolate has measured. */
  add(part: NamedPart, isolate: string): void {
    this.description ??= part.description;
    this.#count += part.count;
    this.#timestamp = Math.max(this.#timestamp, part.timestamp);
    for (const [key, value] of Object.entries(part.sums)) this.#addToSum(key, value);
    const { gauge: value, timestamp } = part;
    if (value !== undefined) this.#setGauge(isolate, { value, timestamp });
    for (const [key, sketch] of part.sketches) this.#sketchOf(key).merge(sketch);
  }

  /** Adds another sum. */
  merge(other: SeriesSum): void {
    this.description ??= other.description;
    this.#count += other.#count;
    this.#timestamp = Math.max(this.#timestamp, other.#timestamp);
    for (const [key, value] of other.sums) this.#addToSum(key, value);
    for (const [isolate, gauge] of other.gauges) this.#setGauge(isolate, gauge);
    for (const [key, sketch] of other.sketches) this.#sketchOf(key).merge(sketch);
  }

  /** What is known, for people. */
  metric(): Metric {
    const measurements: Record<string, number> = Object.fromEntries(this.sums);
    const gauge = this.#lastGauge();
    if (gauge !== undefined) measurements["gauge"] = gauge;
    const distributions: Record<string, Distribution> = {};
    for (const [key, sketch] of this.sketches) {
      const distribution = sketch.summary();
      distributions[key] = distribution;
      measurements[key] = distribution.mean;
    }
    const { metadata } = this;
    const [timestamp, count] = [this.#timestamp, this.#count];
    return { timestamp, measurements, metadata, count, distributions };
  }

  #addToSum(key: string, value: number): void {
    this.sums.set(key, (this.sums.get(key) ?? 0) + value);
  }

  #setGauge(isolate: string, gauge: IsolateGauge): void {
    const known = this.gauges.get(isolate);
    if (known === undefined || known.timestamp <= gauge.timestamp) {
      this.gauges.set(isolate, gauge);
    }
  }

  #lastGauge(): number | undefined {
    let last: IsolateGauge | undefined;
    for (const gauge of this.gauges.values()) {
      if (last === undefined || gauge.timestamp >= last.timestamp) last = gauge;
    }
    return last?.value;
  }

  #sketchOf(key: string): Sketch {
    return entryOf(this.sketches, key, () => new Sketch());
  }
}

/** The series of one name, those of several isolates added up. */
export class MetricSum {
  readonly name: TelemetryName;
  readonly #byLabels = new Map<string, SeriesSum>();

  constructor(name: TelemetryName) {
    this.name = name;
  }

  /** Its series. */
  get series(): readonly SeriesSum[] {
    return [...this.#byLabels.values()];
  }

  /** Adds what an isolate has measured under this name. */
  add(part: NamedPart, isolate: string): void {
    const key = JSON.stringify(Object.entries(part.labels));
    entryOf(this.#byLabels, key, () => new SeriesSum(part, part.labels)).add(part, isolate);
  }

  /** All of them in one, and each where they have labels. */
  metric(): Metric {
    const { series } = this;
    const [first] = series as [SeriesSum];
    if (series.length === 1 && Object.keys(first.labels).length === 0) return first.metric();
    const { total } = this;
    const labelled = series.map((one): LabelledMetric => {
      return { labels: one.labels, ...one.metric() };
    });
    return { ...total.metric(), labelled };
  }

  /** All of its series in one. */
  get total(): SeriesSum {
    const { series } = this;
    const total = new SeriesSum(series[0] as SeriesSum, {});
    for (const one of series) total.merge(one);
    return total;
  }
}

/** The metrics of isolates, added up. */
export class MetricSums {
  readonly #byName = new Map<string, MetricSum>();

  /** Adds the series of an isolate. */
  add(parts: Iterable<NamedPart>, isolate: string): this {
    for (const part of parts) {
      const { name } = part;
      entryOf(this.#byName, keyOf(name), () => new MetricSum(name)).add(part, isolate);
    }
    return this;
  }

  /** The series of a name. */
  get(name: TelemetryName): MetricSum | undefined {
    return this.#byName.get(keyOf(name));
  }

  /** One after the other. */
  values(): Iterable<MetricSum> {
    return this.#byName.values();
  }
}

function keyOf(name: TelemetryName): string {
  return name.join("\u0000");
}

function entryOf<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
