import { attempt } from "../../../base/errors.ts";
import type { TelemetryOptions } from "../telemetry-options.ts";
import { KernelProbe } from "./kernel-probe.ts";
import { LoopProbe } from "./loop-probe.ts";
import { MemoryProbe } from "./memory-probe.ts";
import { ProcessProbe } from "./process-probe.ts";
import type { Probe, Reporter } from "./reporter.ts";
import type { RuntimeSource } from "./runtime-source.ts";

const FAILED = ["foundation", "telemetry", "samples_failed"];
const DROPPED = ["foundation", "telemetry", "dropped_events"];

/** The figures of an isolate that its options ask for. */
export class Sampler implements Probe {
  readonly #probes: readonly Probe[];
  readonly #reporter: Reporter;

  constructor(reporter: Reporter, source: RuntimeSource, options: Required<TelemetryOptions>) {
    const { enableVmMetrics, enableProcessMetrics, enableKernelMetrics } = options;
    this.#reporter = reporter;
    reporter.describe(FAILED, "Probes that failed");
    reporter.describe(DROPPED, "Events of telemetry for which there was no room");
    this.#probes = [
      ...(enableVmMetrics
        ? [new LoopProbe(reporter), new MemoryProbe(reporter, source.isRoot)]
        : []),
      ...(enableProcessMetrics ? [new ProcessProbe(reporter, source)] : []),
      ...(enableKernelMetrics ? [new KernelProbe(reporter, source)] : []),
    ];
  }

  /** Reads and reports all of them. One that fails, as of a node that is leaving, is counted. */
  sample(): void {
    let failed = 0;
    for (const probe of this.#probes) if (!attempt(() => probe.sample()).ok) failed += 1;
    if (failed > 0) this.#reporter.add(FAILED, failed);
    this.#reporter.total(DROPPED, this.#reporter.dropped);
  }

  end(): void {
    for (const probe of this.#probes) probe.end();
  }
}
