import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** How late this isolate's event loop was. Unit: ms. */
export interface LoopDelay {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Times that it was looked at. */
  readonly samples: number;
}

/** Measures how late the event loop of its isolate is, from when it is made until it is stopped. */
export class LoopMonitor {
  readonly #histogram: IntervalHistogram;
  readonly #resolutionMs: number;

  /** `resolutionMs`: between two samples; a shorter delay is not seen. */
  constructor(resolutionMs: number) {
    this.#resolutionMs = resolutionMs;
    this.#histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#histogram.enable();
  }

  /** What was measured since it began or was last reset. Zeros where nothing was yet. */
  read(): LoopDelay {
    const { count, mean, max } = this.#histogram;
    if (count === 0) return { meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0, samples: 0 };
    return {
      meanMs: this.#late(mean),
      p50Ms: this.#late(this.#histogram.percentile(50)),
      p99Ms: this.#late(this.#histogram.percentile(99)),
      maxMs: this.#late(max),
      samples: count,
    };
  }

  /** Begins anew. */
  reset(): void {
    this.#histogram.reset();
  }

  /** Ends the measuring; what was measured stays. */
  stop(): void {
    this.#histogram.disable();
  }

  /** The histogram holds the whole time between two samples. */
  #late(ns: number): number {
    return Math.max(0, ns / 1e6 - this.#resolutionMs);
  }
}
