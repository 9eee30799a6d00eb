import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";
import type { MetricLabels } from "./series.ts";
import type { Distribution } from "./sketch.ts";
import type { TelemetryOptions } from "./telemetry-options.ts";

/** What is known of a metric. */
export interface Metric {
  /** When it was measured last. Unit: ms since 1970. */
  readonly timestamp: number;
  /** Counters: the sum. Gauges: the last value. Histograms and durations: the mean. */
  readonly measurements: Measurements;
  /** That of the first event. */
  readonly metadata: Metadata;
  /** Events. */
  readonly count: number;
  /** Of each measurement that is neither a counter nor a gauge. */
  readonly distributions: Readonly<Record<string, Distribution>>;
  /** Each series of a metric that was described with labels. */
  readonly labelled?: readonly LabelledMetric[];
}

/** One series of a metric with labels. */
export interface LabelledMetric extends Omit<Metric, "labelled"> {
  readonly labels: MetricLabels;
}

/** Metrics by the words of their names. A name that begins another one's is at its `value`. */
export interface MetricTree {
  readonly [word: string]: MetricTree | Metric | number;
}

/** Is called with each event of the names that it is attached to. */
export type TelemetryHandler = (
  name: TelemetryName,
  measurements: Measurements,
  metadata: Metadata,
  config: unknown,
) => unknown;

/** Figures of the telemetry service. */
export interface TelemetryStatus {
  readonly status: "running";
  readonly metricsCount: number;
  readonly handlersCount: number;
  /** Events beyond `metricsMax`, and those without a right name. */
  readonly droppedEvents: number;
  /** Handlers that threw or rejected; each was detached. */
  readonly handlerFailures: number;
  /** Unit: ms. */
  readonly uptimeMs: number;
  readonly config: Required<TelemetryOptions>;
}
