import {
  constants,
  type EventLoopUtilization,
  PerformanceObserver,
  performance,
} from "node:perf_hooks";
import { LoopMonitor } from "../../../beam/schedulers/loop-delay.ts";
import type { Probe, Reporter } from "./reporter.ts";

/** A delay that is shorter is not seen; a monitor wakes the loop as often. Unit: ms. */
const RESOLUTION_MS = 20;
const SECONDS_PER_MS = 0.001;

const DELAYS = ["mean", "p50", "p99", "max"] as const;
const UTILIZATION = ["vm", "event_loop", "utilization_ratio"];
const PAUSE = ["vm", "gc", "pause_seconds"];

const KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weak_callbacks"],
]);

/** What is observed of the collector. Unit of `duration`: ms. */
interface CollectorEntry {
  readonly duration: number;
  readonly detail: { readonly kind: number };
}

/** How late the event loop of its isolate is, how busy, and how the collector stopped it. */
export class LoopProbe implements Probe {
  readonly #reporter: Reporter;
  readonly #monitor = new LoopMonitor(RESOLUTION_MS);
  readonly #collections: PerformanceObserver;
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
    for (const part of DELAYS) {
      reporter.describe(
        nameOfDelay(part),
        `Delay of the event loop since the last sample: ${part}`,
      );
    }
    reporter.describe(UTILIZATION, "Part of the time since the last sample that the loop was busy");
    reporter.describe(PAUSE, "Pauses of the garbage collector", ["kind"]);
    this.#collections = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#collected(entry as unknown as CollectorEntry);
    });
    this.#collections.observe({ entryTypes: ["gc"] });
  }

  sample(): void {
    const { meanMs: mean, p50Ms: p50, p99Ms: p99, maxMs: max } = this.#monitor.read();
    const delays = { mean, p50, p99, max };
    for (const part of DELAYS) {
      this.#reporter.gauge(nameOfDelay(part), delays[part] * SECONDS_PER_MS);
    }
    this.#monitor.reset();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    this.#reporter.gauge(UTILIZATION, utilization);
  }

  end(): void {
    this.#monitor.stop();
    this.#collections.disconnect();
  }

  #collected({ duration, detail }: CollectorEntry): void {
    const kind = KINDS.get(detail.kind) ?? "other";
    this.#reporter.histogram(PAUSE, duration * SECONDS_PER_MS, { kind });
  }
}

function nameOfDelay(part: string): readonly string[] {
  return ["vm", "event_loop", `delay_${part}_seconds`];
}
