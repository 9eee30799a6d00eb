import { checkCount, checkDelay, checkKeys, checkKind } from "../../base/option-checks.ts";

/** How the telemetry of a node is set up; it holds in all of its isolates. */
export interface TelemetryOptions {
  /** Time after which a metric that nobody measures is forgotten. Unit: ms. Default: 300,000. */
  readonly metricRetentionMs?: number;
  /** Time between two looks for such metrics. Unit: ms. Default: 60,000. */
  readonly cleanupIntervalMs?: number;
  /**
   * Most series; events of further ones are dropped. A metric without labels is one. Unit: series.
   * Default: 10,000.
   */
  readonly metricsMax?: number;
  /**
   * Most series of one metric with labels; events of further label sets share one, `overflow`.
   * Unit: series. Default: 200.
   */
  readonly labelSetsMax?: number;
  /**
   * Samples the event loop, the heap, garbage collections and the memory of the process. Unit:
   * switch. Default: false.
   */
  readonly enableVmMetrics?: boolean;
  /** Samples processes and their mailboxes. Unit: switch. Default: false. */
  readonly enableProcessMetrics?: boolean;
  /** Samples links, channels and shared memory of the node. Unit: switch. Default: false. */
  readonly enableKernelMetrics?: boolean;
  /** Time between two samples. Unit: ms, at least 100. Default: 10,000. */
  readonly sampleIntervalMs?: number;
}

/** How it is set up unless options say otherwise. */
export const TELEMETRY_DEFAULTS = Object.freeze({
  metricRetentionMs: 300_000, // as Foundation 1.x meant it
  cleanupIntervalMs: 60_000, // as Foundation 1.x
  metricsMax: 10_000, // some 10 MB; a name with an id in it stops here
  labelSetsMax: 200, // a label with an id in it stops here
  enableVmMetrics: false, // a sample costs some time, and a monitor wakes an idle event loop
  enableProcessMetrics: false, // likewise
  enableKernelMetrics: false, // likewise
  sampleIntervalMs: 10_000, // half of what Prometheus scrapes at most often
});

/** A shorter time would measure little but itself. Unit: ms. */
const SAMPLE_INTERVAL_MS_MIN = 100;

/**
 * Options, checked and complete.
 *
 * @throws FoundationError `invalid_options`
 */
export function planTelemetry(options: TelemetryOptions): Required<TelemetryOptions> {
  checkKeys("telemetry", options, Object.keys(TELEMETRY_DEFAULTS));
  const plan = { ...TELEMETRY_DEFAULTS, ...options };
  for (const name of ["metricRetentionMs", "cleanupIntervalMs"] as const) {
    checkDelay(name, checkCount(name, plan[name]));
  }
  checkCount("metricsMax", plan.metricsMax);
  checkCount("labelSetsMax", plan.labelSetsMax);
  const switches = ["enableVmMetrics", "enableProcessMetrics", "enableKernelMetrics"] as const;
  for (const name of switches) checkKind(name, typeof plan[name] === "boolean", "true or false");
  const { sampleIntervalMs } = plan;
  checkDelay(
    "sampleIntervalMs",
    checkCount("sampleIntervalMs", sampleIntervalMs, SAMPLE_INTERVAL_MS_MIN),
  );
  return Object.freeze(plan);
}
