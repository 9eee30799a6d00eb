import type { RequestListener } from "node:http";
import { FoundationError } from "../../base/errors.ts";
import { checkKeys } from "../../base/option-checks.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { LogSink, Measurements, Metadata, TelemetryName, TelemetrySink } from "../sinks.ts";
import { NO_LOG } from "../sinks.ts";
import { isPlainObject } from "../toolkit/nested.ts";
import { planCollect } from "./collect-options.ts";
import { checkDescription, type MetricDescription } from "./descriptions.ts";
import type { MetricsServer } from "./exporters/metrics-server.ts";
import {
  type OpenTelemetryOptions,
  planOpenTelemetry,
} from "./exporters/open-telemetry-options.ts";
import { type PrometheusOptions, planPrometheus } from "./exporters/prometheus-options.ts";
import { type MetricsServerOptions, planServer } from "./exporters/server-options.ts";
import { metricsByName, metricTree, nodeTelemetry } from "./metric-tree.ts";
import { MetricsAccess, type NodePlace } from "./metrics-access.ts";
import type { NodeMetricsOptions, NodeTelemetry } from "./node-telemetry.ts";
import { MetricSums } from "./series-sum.ts";
import type { TelemetryCore } from "./telemetry-core.ts";
import type { Metric, MetricTree, TelemetryHandler, TelemetryStatus } from "./telemetry-types.ts";

const NOTHING: Metadata = Object.freeze({});
/** Stands for this isolate where no other one is looked at. */
const OWN = "";

/** Counters, gauges, histograms and spans of an isolate, and handlers of its events. */
export class Telemetry implements TelemetrySink {
  readonly #slot: ServiceSlot<TelemetryCore>;
  readonly #log: LogSink;
  readonly #access: MetricsAccess;

  /**
   * `log`: where handlers of `attachHandlers` write; default: nowhere. `place`: that in a node;
   * default: there is none, and no other isolate.
   */
  constructor(slot: ServiceSlot<TelemetryCore>, log: LogSink = NO_LOG, place?: NodePlace) {
    this.#slot = slot;
    this.#log = log;
    this.#access = new MetricsAccess(slot, place);
  }

  /**
   * Does nothing where the service is running, as it is in every node.
   *
   * @throws FoundationError `service_unavailable` (28200) where it is not
   */
  initialize(): void {
    if (!this.available()) void this.#slot.core;
  }

  /**
   * Reports an event: metrics first, then the handlers of its name. Never throws, also where the
   * service is down; then the event is lost.
   */
  execute(name: TelemetryName, measurements: Measurements, metadata: Metadata = NOTHING): void {
    if (this.#slot.isUp) this.#slot.core.execute(name, measurements, metadata);
  }

  /** Adds to a counter: 1, or what is given. */
  emitCounter(name: TelemetryName, metadata?: Metadata): void;
  emitCounter(name: TelemetryName, value: number, metadata?: Metadata): void;
  emitCounter(name: TelemetryName, first?: number | Metadata, second?: Metadata): void {
    if (!this.#slot.isUp) return;
    if (typeof first === "number") this.#slot.core.addCounter(name, first, second ?? NOTHING);
    else this.#slot.core.addCounter(name, 1, first ?? NOTHING);
  }

  /**
   * Sets a gauge.
   *
   * @throws TypeError where the value is no number
   */
  emitGauge(name: TelemetryName, value: number, metadata: Metadata = NOTHING): void {
    if (typeof value !== "number") throw new TypeError("a gauge is a number");
    if (this.#slot.isUp) this.#slot.core.setGauge(name, value, metadata);
  }

  /**
   * Adds a value to a histogram.
   *
   * @throws TypeError where the name is no list of at least one text, the value no finite number,
   *   or the metadata no object
   */
  emitHistogram(name: TelemetryName, value: number, metadata: Metadata = NOTHING): void {
    const isName =
      Array.isArray(name) && name.length > 0 && name.every((word) => typeof word === "string");
    if (!isName) throw new TypeError("the name of a histogram is a list of at least one text");
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new TypeError("the value of a histogram is a finite number");
    }
    if (!isPlainObject(metadata)) throw new TypeError("metadata are a plain object");
    if (this.#slot.isUp) this.#slot.core.addToHistogram(name, value, metadata);
  }

  /**
   * Runs a function, synchronous or not, and reports how long it took: `name.stop` with `duration`
   * (ms, with fractions), or `name.exception` with the error among the metadata. What the function
   * throws is thrown on. Where OpenTelemetry is attached it runs in a span of its own.
   */
  measure<T>(name: TelemetryName, metadata: Metadata, run: () => Promise<T>): Promise<T>;
  measure<T>(name: TelemetryName, metadata: Metadata, run: () => T): T;
  measure<T>(name: TelemetryName, metadata: Metadata, run: () => T | Promise<T>): T | Promise<T> {
    const { spans } = this.#access;
    if (spans === undefined) return this.#measured(name, metadata, run);
    return spans.run(name, metadata, () => this.#measured(name, metadata, run));
  }

  #measured<T>(name: TelemetryName, metadata: Metadata, run: () => T | Promise<T>): T | Promise<T> {
    const startMs = performance.now();
    const stop = (value: T): T => {
      this.execute([...name, "stop"], { duration: performance.now() - startMs }, metadata);
      return value;
    };
    const fail = (error: unknown): void => {
      const duration = performance.now() - startMs;
      this.execute([...name, "exception"], { duration }, { ...metadata, error });
    };
    try {
      const result = run();
      if (!(result instanceof Promise)) return stop(result);
      return result.then(stop, (thrown: unknown) => {
        fail(thrown);
        throw thrown;
      });
    } catch (thrown) {
      fail(thrown);
      throw thrown;
    }
  }

  /** Measures a function as `foundation.function.execution`. */
  timeFunction<T>(module: string, functionName: string, run: () => T): T {
    const name = ["foundation", "function", "execution"];
    return this.measure(name, { module, function: functionName }, run);
  }

  /** Sets the gauge `foundation.performance.NAME`. */
  emitPerformance(name: string, value: number, metadata?: Metadata): void {
    this.emitGauge(["foundation", "performance", name], value, metadata);
  }

  /** Adds to the counter `foundation.system.TYPE`. */
  emitSystemEvent(type: string, metadata?: Metadata): void {
    this.emitCounter(["foundation", "system", type], metadata);
  }

  /**
   * All metrics as a tree of the words of their names, with `retrievedAt` (ms since 1970). Four
   * names are plain counts: `foundation.events_stored`, `.config_updates`, `.config_resets`,
   * `.config_operations`.
   *
   * @throws FoundationError `service_unavailable` (28200)
   */
  getMetrics(): MetricTree {
    return metricTree(this.#sums().values());
  }

  /** The metrics whose names begin with these words, by name. */
  getMetricsFor(prefix: TelemetryName): Map<string, Metric> {
    return metricsByName(this.#sums(prefix).values());
  }

  /** All metrics by name, its words joined by dots. */
  getMetricsFlat(): Map<string, Metric> {
    return this.getMetricsFor([]);
  }

  /**
   * Calls a handler at each event of these names, until the returned function is called or it
   * throws.
   *
   * @throws FoundationError `invalid_argument` where the id is taken or there are 1,024 handlers
   */
  attach(
    id: string,
    names: readonly TelemetryName[],
    handler: TelemetryHandler,
    config?: unknown,
  ): Unsubscribe {
    this.#slot.core.handlers.attach(id, names, handler, config);
    return () => void this.detach(id);
  }

  /** Takes a handler away; false where it was not there. */
  detach(id: string): boolean {
    return this.#slot.core.handlers.detach(id);
  }

  /** Writes each event of these names to the log. */
  attachHandlers(names: readonly TelemetryName[]): void {
    for (const name of names) {
      const id = logId(name);
      this.detach(id);
      this.attach(id, [name], (event, measurements, metadata) => {
        this.#log.log("debug", event.join("."), { ...measurements, ...metadata });
      });
    }
  }

  /** Writes events of these names to the log no longer. */
  detachHandlers(names: readonly TelemetryName[]): void {
    for (const name of names) this.detach(logId(name));
  }

  /**
   * The metrics of all isolates of the node that measure: counters added up, histograms merged,
   * gauges by isolate (`gauges`). Isolates are asked now; one that does not answer in time is
   * named. Heavy processes and schedulers measure nothing, and are not asked.
   *
   * @throws FoundationError `service_unavailable` (28200), `invalid_options`, `aborted`
   */
  async getNodeMetrics(options: NodeMetricsOptions = {}): Promise<NodeTelemetry> {
    checkKeys("getNodeMetrics", options, ["timeoutMs", "signal"]);
    const collected = await this.#access.collect(planCollect(options));
    return nodeTelemetry(collected);
  }

  /**
   * The metrics as a text for Prometheus, written by prom-client.
   *
   * @throws FoundationError `package_missing` (28201) where prom-client is not installed;
   *   `service_unavailable`, `invalid_options`, `aborted`
   */
  async prometheus(options: PrometheusOptions = {}): Promise<string> {
    const { text } = await this.#access.expose(planPrometheus(options));
    return text;
  }

  /**
   * Answers scrapes of Prometheus, for an HTTP server that you have: in the format that the
   * request asks for, with 405 for what is no GET or HEAD, and 503 with a code where there is no
   * answer. Scrapes at the same time are answered with one text.
   *
   * @throws FoundationError `invalid_options`
   */
  metricsHandler(options: Omit<PrometheusOptions, "format"> = {}): RequestListener {
    return this.#access.listener(planPrometheus(options));
  }

  /**
   * Serves the metrics over HTTP, until it is closed or the isolate leaves its node.
   *
   * @throws FoundationError `listen_failed`, `invalid_options`
   */
  async metricsServer(
    options: MetricsServerOptions & Omit<PrometheusOptions, "format"> = {},
  ): Promise<MetricsServer> {
    const { port, host, path, ...shown } = options;
    const place = planServer({
      ...(port !== undefined && { port }),
      ...(host !== undefined && { host }),
      ...(path !== undefined && { path }),
    });
    return this.#access.serve(place, planPrometheus(shown));
  }

  /**
   * Hands what `measure` runs to OpenTelemetry as spans, and metrics as observable instruments,
   * until the returned function is called or the isolate leaves its node. The SDK is the program's
   * own, set up before.
   *
   * @throws FoundationError `package_missing` (28201) where `@opentelemetry/api` is not installed;
   *   `invalid_argument` where it is attached already; `invalid_options`, `service_unavailable`
   */
  async attachOpenTelemetry(options: OpenTelemetryOptions = {}): Promise<Unsubscribe> {
    return this.#access.attach(planOpenTelemetry(options));
  }

  /**
   * Says what a metric is: a sentence about it, which metadata tell its series apart, and in which
   * buckets its distributions are shown. Series of a metric that was described otherwise before are
   * forgotten. Each isolate describes what it measures.
   *
   * @throws FoundationError `invalid_argument` for what is no name or no description, or where
   *   1,024 metrics are described
   */
  describe(name: TelemetryName, description: MetricDescription): void {
    if (this.#slot.core.store.describe(name, checkDescription(description))) return;
    const text = "the name is none, or there is no room for another description";
    throw new FoundationError("invalid_argument", text);
  }

  /** Forgets all metrics. */
  resetMetrics(): void {
    this.#slot.core.store.clear();
  }

  /** Forgets metrics and handlers; only in test mode, else `operation_forbidden` (7002). */
  resetState(): void {
    this.#slot.core.resetState();
  }

  /** Figures of the service. */
  status(): TelemetryStatus {
    return this.#slot.core.status();
  }

  /** Whether the service is running. */
  available(): boolean {
    return this.#slot.isUp;
  }

  /** Ends what serves and exports metrics: the isolate leaves its node. */
  close(): void {
    this.#access.close();
  }

  #sums(prefix?: TelemetryName): MetricSums {
    return new MetricSums().add(this.#slot.core.store.parts(prefix), OWN);
  }
}

function logId(name: TelemetryName): string {
  if (!Array.isArray(name)) throw new FoundationError("invalid_argument", "a name is a list");
  return `foundation.log:${name.join(".")}`;
}
