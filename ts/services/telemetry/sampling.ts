import type { CancelTimer, Clock } from "../../base/clock.ts";
import type { Totals } from "./runtime/reporter.ts";
import type { RuntimeSource } from "./runtime/runtime-source.ts";
import type { Sampler } from "./runtime/sampler.ts";
import type { TelemetryCore } from "./telemetry-core.ts";

/** What a core whose figures are sampled gives. */
export interface Sampled {
  readonly core: TelemetryCore;
  readonly source: RuntimeSource;
  readonly clock: Clock;
  /** What was reported before. */
  readonly totals: Totals;
}

/**
 * Samples the figures of an isolate again and again until it is ended. Its timer keeps no program
 * alive. What it takes is loaded when it begins, as most programs have no use for it.
 */
export class Sampling {
  readonly #sampled: Sampled;
  readonly ready: Promise<void>;
  #sampler: Sampler | undefined;
  #cancel: CancelTimer = () => {};
  #isOver = false;

  constructor(sampled: Sampled) {
    this.#sampled = sampled;
    this.ready = this.#begin();
  }

  /** Stops it. */
  end(): void {
    this.#isOver = true;
    this.#cancel();
    this.#sampler?.end();
  }

  async #begin(): Promise<void> {
    const [{ Sampler: Made }, { Reporter }] = await Promise.all([
      import("./runtime/sampler.ts"),
      import("./runtime/reporter.ts"),
    ]);
    if (this.#isOver) return;
    const { core, source, totals } = this.#sampled;
    this.#sampler = new Made(new Reporter(core, totals), source, core.config);
    this.#sample();
  }

  #sample(): void {
    const { core, clock } = this.#sampled;
    this.#sampler?.sample();
    this.#cancel = clock.after(core.config.sampleIntervalMs, () => this.#sample());
  }
}
