import { type CancelTimer, type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkKeys } from "../../base/option-checks.ts";
import type { ServiceCore } from "../service-slot.ts";
import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";
import { Handlers } from "./handlers.ts";
import { MetricStore } from "./metric-store.ts";
import {
  TELEMETRY_DEFAULTS,
  type TelemetryOptions,
  type TelemetryStatus,
} from "./telemetry-types.ts";

/** Metrics and handlers of an isolate. */
export class TelemetryCore implements ServiceCore {
  readonly #clock: Clock;
  readonly #config: Required<TelemetryOptions>;
  readonly #startMs: number;
  readonly #testMode: boolean;
  readonly store: MetricStore;
  readonly handlers: Handlers;
  #cancel: CancelTimer = () => {};

  /** @throws FoundationError `invalid_options` */
  constructor(
    options: TelemetryOptions = {},
    { clock = SYSTEM_CLOCK, testMode = false, last }: TelemetryParts = {},
  ) {
    checkKeys("telemetry", options, Object.keys(TELEMETRY_DEFAULTS));
    const config = { ...TELEMETRY_DEFAULTS, ...options };
    for (const [name, value] of Object.entries(config)) checkCount(name, value);
    this.#clock = clock;
    this.#config = config;
    this.#testMode = testMode;
    this.#startMs = clock.now();
    last?.close();
    this.store = last?.store ?? new MetricStore(clock, config.metricsMax);
    this.handlers = last?.handlers ?? new Handlers();
    this.#cleanUpLater();
  }

  /** Takes an event: first the metrics, then the handlers. */
  execute(name: TelemetryName, measurements: Measurements, metadata: Metadata): void {
    this.store.record(name, measurements, metadata);
    this.handlers.dispatch(name, measurements, metadata);
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
}
