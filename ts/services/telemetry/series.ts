import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";
import { Sketch } from "./sketch.ts";

/** Values of the metadata that tell the series of one metric apart, by the name of the label. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Most measurements of one series that are distributions. */
const SKETCHES_MAX = 16;

const HAS_COUNTER = 1;
const HAS_COUNT = 2;
const HAS_GAUGE = 4;

/** The numbers of a series of one isolate at a moment; the sketches are those that go on. */
export interface SeriesPart {
  readonly name: TelemetryName;
  readonly labels: MetricLabels;
  readonly metadata: Metadata;
  /** Events. */
  readonly count: number;
  /** When the last one was. Unit: ms since 1970. */
  readonly timestamp: number;
  /** Sums of `counter` and `count`. */
  readonly sums: Measurements;
  readonly gauge: number | undefined;
  readonly sketches: ReadonlyMap<string, Sketch>;
}

/** What becomes of a measurement: added up, replaced, or part of a distribution. */
export type MeasuredKind = "sum" | "gauge" | "sketch";

/** Is told of the first value of a measurement of a series. */
export type OnMeasured = (name: TelemetryName, key: string, kind: MeasuredKind) => void;

/** What a series is told apart by. */
export interface SeriesIdentity {
  /** Its number: a later one of the same store has a higher one. */
  readonly id: number;
  readonly name: TelemetryName;
  readonly labels: MetricLabels;
  /** That of the first event. */
  readonly metadata: Metadata;
  readonly onMeasured: OnMeasured;
}

/** What is measured under one name and one set of labels. */
export class Series {
  readonly id: number;
  readonly name: TelemetryName;
  readonly labels: MetricLabels;
  readonly #metadata: Metadata;
  readonly #onMeasured: OnMeasured;
  readonly #sketches = new Map<string, Sketch>();
  #has = 0;
  #counter = 0;
  #count = 0;
  #gauge = 0;
  #events = 0;
  lastMs = 0;

  constructor({ id, name, labels, metadata, onMeasured }: SeriesIdentity) {
    this.id = id;
    this.name = name;
    this.labels = labels;
    this.#metadata = metadata;
    this.#onMeasured = onMeasured;
  }

  /** One event that adds to `counter`. */
  addCounter(value: number, nowMs: number): void {
    this.#begin(nowMs);
    if (Number.isFinite(value)) this.#addToCounter(value);
  }

  /** One event that sets `gauge`. */
  setGauge(value: number, nowMs: number): void {
    this.#begin(nowMs);
    if (Number.isFinite(value)) this.#setGauge(value);
  }

  /** One event with a value of a distribution. */
  addSample(key: string, value: number, nowMs: number): void {
    this.#begin(nowMs);
    this.#sketchOf(key)?.add(value);
  }

  /** One event with any measurements; what is no finite number is left out. */
  add(measurements: Measurements, nowMs: number): void {
    this.#begin(nowMs);
    for (const key in measurements) {
      const value = measurements[key];
      if (typeof value !== "number" || !Number.isFinite(value)) continue;
      if (key === "counter") this.#addToCounter(value);
      else if (key === "gauge") this.#setGauge(value);
      else if (key === "count") {
        if ((this.#has & HAS_COUNT) === 0) this.#first(HAS_COUNT, key, "sum");
        this.#count += value;
      } else this.#sketchOf(key)?.add(value);
    }
  }

  /** `wallOffsetMs`: from the clock of the store to the time of day. */
  part(wallOffsetMs: number): SeriesPart {
    const { name, labels } = this;
    return {
      ...{ name, labels, metadata: this.#metadata, count: this.#events },
      timestamp: this.lastMs + wallOffsetMs,
      sums: {
        ...((this.#has & HAS_COUNTER) !== 0 && { counter: this.#counter }),
        ...((this.#has & HAS_COUNT) !== 0 && { count: this.#count }),
      },
      gauge: (this.#has & HAS_GAUGE) === 0 ? undefined : this.#gauge,
      sketches: this.#sketches,
    };
  }

  #begin(nowMs: number): void {
    this.#events += 1;
    this.lastMs = nowMs;
  }

  #addToCounter(value: number): void {
    if ((this.#has & HAS_COUNTER) === 0) this.#first(HAS_COUNTER, "counter", "sum");
    this.#counter += value;
  }

  #setGauge(value: number): void {
    if ((this.#has & HAS_GAUGE) === 0) this.#first(HAS_GAUGE, "gauge", "gauge");
    this.#gauge = value;
  }

  #first(mark: number, key: string, kind: MeasuredKind): void {
    this.#has |= mark;
    this.#onMeasured(this.name, key, kind);
  }

  #sketchOf(key: string): Sketch | undefined {
    const known = this.#sketches.get(key);
    if (known !== undefined || this.#sketches.size >= SKETCHES_MAX) return known;
    const sketch = new Sketch();
    this.#sketches.set(key, sketch);
    this.#first(0, key, "sketch");
    return sketch;
  }
}
