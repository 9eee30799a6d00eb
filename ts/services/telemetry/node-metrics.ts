import { setImmediate as turn } from "node:timers/promises";
import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { Processes } from "../../beam/processes.ts";
import type { CollectPlan } from "./collect-options.ts";
import type { MetricStore } from "./metric-store.ts";
import { MetricSums } from "./series-sum.ts";
import {
  fromWire,
  type MetricsPage,
  TELEMETRY_AUTHORITY_NAME,
  type TelemetryRequest,
} from "./telemetry-wire.ts";

/** Isolates that are asked at the same time; each answers with pages of some 48 KiB. */
const AT_A_TIME = 8;

/** An isolate whose metrics are not among the sums. */
export interface MissingIsolate {
  /** Its slot; `root` where not even that one told which others there are. */
  readonly isolate: string;
  /** Code of what went wrong: `timeout` where it did not answer in time. */
  readonly reason: string;
}

/** Metrics of isolates, added up. */
export interface CollectedMetrics {
  readonly sums: MetricSums;
  /** Slots of those that answered. */
  readonly isolates: readonly string[];
  readonly missing: readonly MissingIsolate[];
}

/** Who asks: an isolate with metrics of its own. */
export interface Collector {
  /** Its slot in the node. */
  readonly isolate: string;
  readonly processes: Pick<Processes, "call" | "isLocal">;
  readonly store: MetricStore;
}

/**
 * Asks every isolate of the node that measures. One that fails to answer in time is named.
 *
 * @throws FoundationError `aborted`
 */
export async function collectNode(by: Collector, plan: CollectPlan): Promise<CollectedMetrics> {
  const collection = new Collection(by, plan);
  const answerers = await collection.findAnswerers();
  const waiting = answerers.values();
  const lane = async (): Promise<void> => {
    for (const pid of waiting) await collection.add(pid);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  return collection;
}

class Collection implements CollectedMetrics {
  readonly sums = new MetricSums();
  readonly isolates: string[] = [];
  readonly missing: MissingIsolate[] = [];
  readonly #by: Collector;
  readonly #plan: CollectPlan;
  readonly #endMs: number;

  constructor(by: Collector, plan: CollectPlan) {
    this.#by = by;
    this.#plan = plan;
    this.#endMs = performance.now() + plan.timeoutMs;
  }

  /** The processes that answer for their isolates. */
  async findAnswerers(): Promise<readonly Pid[]> {
    try {
      return (await this.#ask(TELEMETRY_AUTHORITY_NAME, { op: "isolates" })) as readonly Pid[];
    } catch (thrown) {
      this.missing.push({ isolate: "root", reason: reasonOf(thrown) });
      this.sums.add(this.#by.store.parts(), this.#by.isolate);
      this.isolates.push(this.#by.isolate);
      return [];
    }
  }

  async add(pid: Pid): Promise<void> {
    const isolate = String(pid.home.slot);
    try {
      if (this.#by.processes.isLocal(pid)) this.sums.add(this.#by.store.parts(), isolate);
      else await this.#addPages(pid, isolate);
      this.isolates.push(isolate);
    } catch (thrown) {
      this.missing.push({ isolate, reason: reasonOf(thrown) });
    }
  }

  // Added when the last one is there: half an isolate would make sums that shrink and grow.
  async #addPages(pid: Pid, isolate: string): Promise<void> {
    const pages: MetricsPage[] = [];
    let after: number | undefined = 0;
    while (after !== undefined) {
      const page = (await this.#ask(pid, { op: "page", after })) as MetricsPage;
      if (page.error !== undefined) throw new FoundationError("service_unavailable", page.error);
      pages.push(page);
      after = page.next;
    }
    for (const { parts } of pages) {
      this.sums.add(parts.map(fromWire), isolate);
      await turn(); // of ten thousand series, others would wait for a quarter of a second
    }
  }

  async #ask(to: Pid | string, request: TelemetryRequest): Promise<unknown> {
    const { signal } = this.#plan;
    const timeoutMs = Math.max(0, this.#endMs - performance.now());
    return this.#by.processes.call(to, request, { timeoutMs, ...(signal && { signal }) });
  }
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof FoundationError)) throw thrown;
  if (thrown.code === "aborted") throw thrown;
  return thrown.code;
}
