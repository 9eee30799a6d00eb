import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";
import type { Distribution } from "./sketch.ts";

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
) => void;

/** Limits of the telemetry of a node. */
export interface TelemetryOptions {
  /** Time after which a metric that nobody measures is forgotten. Unit: ms. Default: 300,000. */
  readonly metricRetentionMs?: number;
  /** Time between two looks for such metrics. Unit: ms. Default: 60,000. */
  readonly cleanupIntervalMs?: number;
  /** Most metrics; events of further names are dropped. Unit: names. Default: 10,000. */
  readonly metricsMax?: number;
}

/** Limits of the telemetry unless options say otherwise. */
export const TELEMETRY_DEFAULTS = Object.freeze({
  metricRetentionMs: 300_000, // as Foundation 1.x meant it
  cleanupIntervalMs: 60_000, // as Foundation 1.x
  metricsMax: 10_000, // some 10 MB; a name with an id in it stops here
});

/** Figures of the telemetry service. */
export interface TelemetryStatus {
  readonly status: "running";
  readonly metricsCount: number;
  readonly handlersCount: number;
  /** Events of names beyond `metricsMax`. */
  readonly droppedEvents: number;
  /** Handlers that threw; each was detached. */
  readonly handlerFailures: number;
  /** Unit: ms. */
  readonly uptimeMs: number;
  readonly config: Required<TelemetryOptions>;
}
