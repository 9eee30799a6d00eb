import { checkKeys, checkKind } from "../../../base/option-checks.ts";
import { COLLECT_DEFAULTS, type CollectOptions, planCollect } from "../collect-options.ts";

/** Values that a span or a point of a metric carries. */
export type OtelAttributes = Readonly<
  Record<string, string | number | boolean | string[] | number[] | boolean[]>
>;

/** What is taken of a span. */
export interface OtelSpan {
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(exception: { name: string; message: string; stack?: string }): void;
  end(): void;
}

/** What is taken of a tracer. */
export interface OtelTracer {
  startActiveSpan(
    name: string,
    options: { readonly attributes?: OtelAttributes },
    run: (span: OtelSpan) => unknown,
  ): unknown;
}

/** Takes values that are asked for. */
export type OtelCallback = (result: {
  observe(value: number, attributes?: OtelAttributes): void;
}) => void | Promise<void>;

/** What is taken of an instrument. */
export interface OtelInstrument {
  addCallback(callback: OtelCallback): void;
  removeCallback(callback: OtelCallback): void;
}

/** What is taken of a meter. */
export interface OtelMeter {
  createObservableCounter(name: string, options: { description: string }): OtelInstrument;
  createObservableUpDownCounter(name: string, options: { description: string }): OtelInstrument;
  createObservableGauge(name: string, options: { description: string }): OtelInstrument;
}

/** What is taken of `@opentelemetry/api`. */
export interface OpenTelemetryApi {
  readonly trace: { getTracer(name: string, version?: string): OtelTracer };
  readonly metrics: { getMeter(name: string, version?: string): OtelMeter };
  readonly SpanStatusCode: { readonly ERROR: number };
}

/** What OpenTelemetry gets. Defaults: {@link OPEN_TELEMETRY_DEFAULTS}. */
export interface OpenTelemetryOptions extends Omit<CollectOptions, "signal"> {
  /** The package, where it cannot be found by its name. Unit: module. Default: it is imported. */
  readonly api?: OpenTelemetryApi;
  /** Whether `measure` makes spans. Unit: switch. */
  readonly traces?: boolean;
  /** Whether metrics are instruments. Unit: switch. */
  readonly metrics?: boolean;
}

/** What OpenTelemetry gets unless the options say otherwise. */
export const OPEN_TELEMETRY_DEFAULTS = Object.freeze({
  ...COLLECT_DEFAULTS,
  traces: true, // who attaches it wants them
  metrics: true, // likewise
});

/** Options, checked and complete. */
export type OpenTelemetryPlan = OpenTelemetryOptions &
  Required<Omit<OpenTelemetryOptions, "api" | "signal">>;

/**
 * Options of OpenTelemetry, checked and complete.
 *
 * @throws FoundationError `invalid_options`
 */
export function planOpenTelemetry(options: OpenTelemetryOptions = {}): OpenTelemetryPlan {
  checkKeys("attachOpenTelemetry", options, [...Object.keys(OPEN_TELEMETRY_DEFAULTS), "api"]);
  const { api, traces, metrics, ...collecting } = { ...OPEN_TELEMETRY_DEFAULTS, ...options };
  const { scope, timeoutMs } = planCollect(collecting);
  checkKind("traces", typeof traces === "boolean", "true or false");
  checkKind("metrics", typeof metrics === "boolean", "true or false");
  const isApi = api === undefined || typeof api.trace?.getTracer === "function";
  checkKind("api", isApi, "the module @opentelemetry/api");
  return { scope, timeoutMs, traces, metrics, ...(api && { api }) };
}
