import type { RequestListener } from "node:http";
import { FoundationError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { CollectPlan } from "./collect-options.ts";
import type { MetricsServer } from "./exporters/metrics-server.ts";
import type { OtelBridge } from "./exporters/open-telemetry.ts";
import type { OpenTelemetryPlan } from "./exporters/open-telemetry-options.ts";
import type { Spans } from "./exporters/open-telemetry-spans.ts";
import type { Exposition } from "./exporters/prometheus.ts";
import type { PrometheusPlan } from "./exporters/prometheus-options.ts";
import type { MetricsServerOptions } from "./exporters/server-options.ts";
import type { CollectedMetrics, Collector } from "./node-metrics.ts";
import { MetricSums } from "./series-sum.ts";
import type { TelemetryCore } from "./telemetry-core.ts";

/** Where an isolate is, and its way to the others of its node. */
export type NodePlace = Pick<Collector, "isolate" | "processes">;

/** Ways to the metrics of a node for who reads them. What they take is loaded on first use. */
export class MetricsAccess {
  readonly #slot: ServiceSlot<TelemetryCore>;
  readonly #place: NodePlace | undefined;
  readonly #servers = new Set<MetricsServer>();
  #bridge: OtelBridge | undefined;
  #isAttached = false;
  #isClosed = false;

  /** `place`: that in a node; undefined where there is none. */
  constructor(slot: ServiceSlot<TelemetryCore>, place: NodePlace | undefined) {
    this.#slot = slot;
    this.#place = place;
  }

  /** The metrics of one isolate, or of all. */
  async collect(plan: CollectPlan): Promise<CollectedMetrics> {
    const { store } = this.#slot.core;
    const place = this.#place;
    if (plan.scope === "isolate" || place === undefined) {
      return { sums: new MetricSums().add(store.parts(), ""), isolates: [], missing: [] };
    }
    const { collectNode } = await import("./node-metrics.ts");
    return collectNode({ ...place, store }, plan);
  }

  /** The text for a scrape. */
  async expose(plan: PrometheusPlan): Promise<Exposition> {
    const { expose } = await import("./exporters/prometheus.ts");
    return expose(await this.collect(plan), plan);
  }

  /** Answers scrapes in the format that they ask for. */
  listener(plan: PrometheusPlan): RequestListener {
    const made = import("./exporters/metrics-server.ts").then(({ metricsListener }) => {
      return metricsListener(async (format) => this.expose({ ...plan, format }));
    });
    return (request, response) => void made.then((listener) => listener(request, response));
  }

  /** Serves scrapes until it is closed. */
  async serve(place: Required<MetricsServerOptions>, plan: PrometheusPlan): Promise<MetricsServer> {
    const { MetricsServer: Server } = await import("./exporters/metrics-server.ts");
    const server = await Server.start(place, this.listener(plan), () => {
      this.#servers.delete(server);
    });
    this.#servers.add(server);
    if (this.#isClosed) await server.close();
    return server;
  }

  /**
   * Attaches OpenTelemetry.
   *
   * @throws FoundationError `invalid_argument` where it is attached, or being attached, already
   */
  async attach(plan: OpenTelemetryPlan): Promise<Unsubscribe> {
    if (this.#isAttached) throw attachedError();
    this.#isAttached = true;
    try {
      const { bridge } = await import("./exporters/open-telemetry.ts");
      const { store } = this.#slot.core;
      const made = await bridge({ store, collect: async () => this.#sumsWhileUp(plan) }, plan);
      this.#bridge = made;
      if (this.#isClosed) this.#detach();
      return () => {
        if (this.#bridge === made) this.#detach();
      };
    } catch (thrown) {
      this.#isAttached = false;
      throw thrown;
    }
  }

  /** Makes spans, where OpenTelemetry is attached. */
  get spans(): Spans | undefined {
    return this.#bridge?.spans;
  }

  /** Ends what serves and exports: the isolate leaves its node. */
  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers) void server.close();
    this.#detach();
  }

  #detach(): void {
    this.#bridge?.end();
    this.#bridge = undefined;
    this.#isAttached = false;
  }

  async #sumsWhileUp(plan: CollectPlan): Promise<MetricSums> {
    if (!this.#slot.isUp) return new MetricSums();
    return (await this.collect(plan)).sums;
  }
}

function attachedError(): FoundationError {
  return new FoundationError("invalid_argument", "OpenTelemetry is attached already");
}
