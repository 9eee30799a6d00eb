import type { Metadata, TelemetryName } from "../../sinks.ts";
import { checkDescription } from "../descriptions.ts";
import type { TelemetryCore } from "../telemetry-core.ts";

const NOTHING: Metadata = Object.freeze({});

/** Values that only grow, as they were when they were reported last. */
export type Totals = Map<string, number>;

/** Reports figures that are read, rather than events that happen. */
export class Reporter {
  readonly #core: TelemetryCore;
  readonly #totals: Totals;

  /** `totals`: what was reported before, so that a restart counts nothing twice. */
  constructor(core: TelemetryCore, totals: Totals) {
    this.#core = core;
    this.#totals = totals;
  }

  /** Events that were lost for want of room. */
  get dropped(): number {
    return this.#core.store.dropped;
  }

  /** Says what a metric is. */
  describe(name: TelemetryName, help: string, labels: readonly string[] = []): void {
    this.#core.store.describe(name, checkDescription({ help, labels }));
  }

  gauge(name: TelemetryName, value: number | undefined, labels: Metadata = NOTHING): void {
    if (value !== undefined) this.#core.setGauge(name, value, labels);
  }

  /** Adds what a value that only grows has grown by; one that began anew counts from zero. */
  total(name: TelemetryName, value: number, labels: Metadata = NOTHING): void {
    const key = [...name, ...Object.values(labels)].join("\u0000");
    const before = this.#totals.get(key) ?? 0;
    this.#totals.set(key, value);
    this.#core.addCounter(name, value >= before ? value - before : value, labels);
  }

  /** Adds to a counter. */
  add(name: TelemetryName, value: number): void {
    this.#core.addCounter(name, value, NOTHING);
  }

  histogram(name: TelemetryName, value: number, labels: Metadata = NOTHING): void {
    this.#core.addToHistogram(name, value, labels);
  }
}

/** Reads some figures and reports them. */
export interface Probe {
  sample(): void;
  /** Lets go of what measures. */
  end(): void;
}
