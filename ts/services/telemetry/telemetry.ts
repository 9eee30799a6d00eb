import { FoundationError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { LogSink, Measurements, Metadata, TelemetryName, TelemetrySink } from "../sinks.ts";
import { NO_LOG } from "../sinks.ts";
import { isPlainObject } from "../toolkit/nested.ts";
import { metricTree } from "./metric-tree.ts";
import type { TelemetryCore } from "./telemetry-core.ts";
import type { Metric, MetricTree, TelemetryHandler, TelemetryStatus } from "./telemetry-types.ts";

const NOTHING: Metadata = Object.freeze({});

/** Counters, gauges, histograms and spans of an isolate, and handlers of its events. */
export class Telemetry implements TelemetrySink {
  readonly #slot: ServiceSlot<TelemetryCore>;
  readonly #log: LogSink;

  /** `log`: where handlers of `attachHandlers` write. Default: nowhere. */
  constructor(slot: ServiceSlot<TelemetryCore>, log: LogSink = NO_LOG) {
    this.#slot = slot;
    this.#log = log;
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
    const isCounted = typeof first === "number";
    const metadata = isCounted ? second : first;
    this.execute(name, { counter: isCounted ? first : 1 }, metadata);
  }

  /**
   * Sets a gauge.
   *
   * @throws TypeError where the value is no number
   */
  emitGauge(name: TelemetryName, value: number, metadata?: Metadata): void {
    if (typeof value !== "number") throw new TypeError("a gauge is a number");
    this.execute(name, { gauge: value }, metadata);
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
    this.execute(name, { histogram: value }, metadata);
  }

  /**
   * Runs a function, synchronous or not, and reports how long it took: `name.stop` with `duration`
   * (ms, with fractions), or `name.exception` with the error among the metadata. What the function
   * throws is thrown on.
   */
  measure<T>(name: TelemetryName, metadata: Metadata, run: () => Promise<T>): Promise<T>;
  measure<T>(name: TelemetryName, metadata: Metadata, run: () => T): T;
  measure<T>(name: TelemetryName, metadata: Metadata, run: () => T | Promise<T>): T | Promise<T> {
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
    return metricTree(this.#slot.core.store.entries());
  }

  /** The metrics whose names begin with these words, by name. */
  getMetricsFor(prefix: TelemetryName): Map<string, Metric> {
    const entries = [...this.#slot.core.store.entries(prefix)];
    return new Map(entries.map(([name, metric]) => [name.join("."), metric]));
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

  /** Ends that. */
  detachHandlers(names: readonly TelemetryName[]): void {
    for (const name of names) this.detach(logId(name));
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
}

function logId(name: TelemetryName): string {
  if (!Array.isArray(name)) throw new FoundationError("invalid_argument", "a name is a list");
  return `foundation.log:${name.join(".")}`;
}
