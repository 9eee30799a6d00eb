import { type CancelTimer, type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import type { ServiceCore } from "../service-slot.ts";
import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";
import { Handlers } from "./handlers.ts";
import { MetricStore } from "./metric-store.ts";
import type { Totals } from "./runtime/reporter.ts";
import type { RuntimeSource } from "./runtime/runtime-source.ts";
import { Sampling } from "./sampling.ts";
import { planTelemetry, type TelemetryOptions } from "./telemetry-options.ts";
import type { TelemetryStatus } from "./telemetry-types.ts";

/** Metrics and handlers of an isolate. */
export class TelemetryCore implements ServiceCore {
  readonly #clock: Clock;
  #config: Required<TelemetryOptions>;
  readonly #runtime: RuntimeSource | undefined;
  readonly #startMs: number;
  readonly #testMode: boolean;
  readonly store: MetricStore;
  readonly handlers: Handlers;
  /** What figures that only grow were when they were reported last. */
  readonly totals: Totals;
  #cancel: CancelTimer = () => {};
  #sampling: Sampling | undefined;

  /** @throws FoundationError `invalid_options` */
  constructor(
    options: TelemetryOptions = {},
    { clock = SYSTEM_CLOCK, testMode = false, last, runtime }: TelemetryParts = {},
  ) {
    const config = last?.config ?? planTelemetry(options);
    this.#clock = clock;
    this.#config = config;
    this.#runtime = runtime;
    this.#testMode = testMode;
    this.#startMs = clock.now();
    this.totals = last?.totals ?? new Map();
    last?.close();
    this.store = last?.store ?? new MetricStore(clock, config);
    this.handlers = last?.handlers ?? new Handlers();
    this.#begin();
  }

  /** Resolves when what is sampled was sampled for the first time; at once where nothing is. */
  async sampled(): Promise<void> {
    await this.#sampling?.ready;
  }

  /** How it is set up. */
  get config(): Required<TelemetryOptions> {
    return this.#config;
  }

  /**
   * Sets it up otherwise; what was measured stays.
   *
   * @throws FoundationError `invalid_options`
   */
  configure(options: TelemetryOptions): void {
    this.#config = planTelemetry(options);
    this.store.limits = this.#config;
    this.close();
    this.#begin();
  }

  /**
   * Takes an event: first the metrics, then the handlers. Never throws, whatever it is given: what
   * cannot be read is counted as dropped.
   */
  execute(name: TelemetryName, measurements: Measurements, metadata: Metadata): void {
    try {
      this.store.seriesOf(name, metadata)?.add(measurements, this.#clock.now());
      if (this.handlers.areWanted) this.handlers.dispatch(name, measurements, metadata);
    } catch {
      this.store.dropped += 1;
    }
  }

  /** The same for a counter; its measurements become an object where somebody is to be told. */
  addCounter(name: TelemetryName, value: number, metadata: Metadata): void {
    try {
      this.store.seriesOf(name, metadata)?.addCounter(value, this.#clock.now());
      if (this.handlers.areWanted) this.handlers.dispatch(name, { counter: value }, metadata);
    } catch {
      this.store.dropped += 1;
    }
  }

  /** The same for a gauge. */
  setGauge(name: TelemetryName, value: number, metadata: Metadata): void {
    try {
      this.store.seriesOf(name, metadata)?.setGauge(value, this.#clock.now());
      if (this.handlers.areWanted) this.handlers.dispatch(name, { gauge: value }, metadata);
    } catch {
      this.store.dropped += 1;
    }
  }

  /** The same for a value of a histogram. */
  addToHistogram(name: TelemetryName, value: number, metadata: Metadata): void {
    try {
      this.store.seriesOf(name, metadata)?.addSample("histogram", value, this.#clock.now());
      if (this.handlers.areWanted) this.handlers.dispatch(name, { histogram: value }, metadata);
    } catch {
      this.store.dropped += 1;
    }
  }

  /**
   * Forgets metrics and handlers.
   *
   * @throws FoundationError `operation_forbidden` (7002) outside of test mode
   */
  resetState(): void {
    if (!this.#testMode) {
      const text = "the state can be reset in a node that was started with `testMode: true`";
      throw new FoundationError("operation_forbidden", text, { numericCode: 7002 });
    }
    this.store.clear();
    this.handlers.clear();
  }

  status(): TelemetryStatus {
    return {
      status: "running",
      metricsCount: this.store.size,
      handlersCount: this.handlers.size,
      droppedEvents: this.store.dropped,
      handlerFailures: this.handlers.failures,
      uptimeMs: this.#clock.now() - this.#startMs,
      config: this.#config,
    };
  }

  close(): void {
    this.#cancel();
    this.#sampling?.end();
    this.#sampling = undefined;
  }

  #begin(): void {
    this.#cleanUpLater();
    const { enableVmMetrics, enableProcessMetrics, enableKernelMetrics } = this.#config;
    const isWanted = enableVmMetrics || enableProcessMetrics || enableKernelMetrics;
    if (!isWanted || this.#runtime === undefined) return;
    const parts = { source: this.#runtime, clock: this.#clock, totals: this.totals };
    this.#sampling = new Sampling({ core: this, ...parts });
  }

  #cleanUpLater(): void {
    const { cleanupIntervalMs, metricRetentionMs } = this.#config;
    this.#cancel = this.#clock.after(cleanupIntervalMs, () => {
      this.store.forgetOlderThan(metricRetentionMs);
      this.#cleanUpLater();
    });
  }
}

/** What a telemetry core works with. */
export interface TelemetryParts {
  /** Where time comes from. Default: the system. */
  readonly clock?: Clock;
  /** Whether `resetState` works. Default: false. */
  readonly testMode?: boolean;
  /** The core before, whose metrics and handlers go on. Default: none. */
  readonly last?: TelemetryCore | undefined;
  /** What figures of the engine and the node are read from. Default: none, and none are. */
  readonly runtime?: RuntimeSource | undefined;
}
