import type { CollectOptions } from "./collect-options.ts";
import type { MissingIsolate } from "./node-metrics.ts";
import type { Metric } from "./telemetry-types.ts";

/** How long other isolates may take. */
export type NodeMetricsOptions = Pick<CollectOptions, "timeoutMs" | "signal">;

/** A metric of a node: sums over its isolates. Metadata are only those of the isolate that asks. */
export interface NodeMetric extends Metric {
  /** The gauge of each isolate that has one, by its slot. `measurements.gauge` is the last set. */
  readonly gauges: Readonly<Record<string, number>>;
}

/** The metrics of a node. */
export interface NodeTelemetry {
  /** By name, its words joined by dots. */
  readonly metrics: ReadonlyMap<string, NodeMetric>;
  /** Slots of the isolates that are among the sums. */
  readonly isolates: readonly string[];
  /** Isolates that are not. */
  readonly missing: readonly MissingIsolate[];
  /** Unit: ms since 1970. */
  readonly retrievedAt: number;
}
