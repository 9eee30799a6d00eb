import type { NodeMetrics } from "../../../kernel/node-types.ts";
import type { Probe, Reporter } from "./reporter.ts";
import type { RuntimeSource } from "./runtime-source.ts";

/** Fields of `node.metrics()` that go up and down; docs/metrics.md says what each is. */
const NODE_GAUGES = [
  ...["strangers", "peersKnown", "isolates", "isolateRings", "backlogRecords"],
  "reserveFreeBytes",
] as const;
const NODE_COUNTERS = [
  ...["linksLost", "sealFailures", "corruptRings", "unknownRecords", "staleSlabs"],
  ...["peersRefused", "badAddresses", "laneTakeovers"],
] as const;
/** Those by code. */
const BY_CODE = ["dropped", "handshakesFailed", "dialsFailed", "linksEnded"] as const;
/** Groups of fields, and which of them go up and down. */
const GROUPS: readonly (readonly ["links" | "slabs" | "boundary", RegExp])[] = [
  ["links", /^$/],
  ["slabs", /^live/],
  [
    "boundary",
    /^(?:kernels|nodes|isolates|doorbells|isolateRings|slabsInTransit|slabsLive|blocksLive|arena)/,
  ],
];
const CHANNEL_COUNTERS = [
  ...["messagesSent", "bytesSent", "messagesReceived", "bytesReceived"],
] as const;
const ISOLATE_GAUGES: ReadonlySet<string> = new Set(["callsWaiting", "localWaiting"]);
const SECONDS_PER_US = 1e-6;

/** Links, channels and shared memory of a node, as `node.metrics()` has them. */
export class KernelProbe implements Probe {
  readonly #reporter: Reporter;
  readonly #source: RuntimeSource;
  readonly #described = new Set<string>();

  constructor(reporter: Reporter, source: RuntimeSource) {
    this.#reporter = reporter;
    this.#source = source;
  }

  sample(): void {
    const metrics = this.#source.node.metrics();
    // What crosses rings is counted by each isolate; the rest is the node's, and told once.
    this.#group("isolate", metrics.isolate, (key) => ISOLATE_GAUGES.has(key));
    if (!this.#source.isRoot) return;
    for (const key of NODE_GAUGES) this.#gauge("node", key, metrics[key] as number);
    for (const key of NODE_COUNTERS) this.#total("node", key, metrics[key] as number);
    for (const [group, gauges] of GROUPS) {
      this.#group(group, metrics[group], (key) => gauges.test(key));
    }
    for (const key of BY_CODE) {
      for (const [code, value] of Object.entries(metrics[key] as Record<string, number>)) {
        this.#total("node", key, value, { code });
      }
    }
    this.#channels(metrics);
    this.#peers(metrics);
  }

  end(): void {}

  #channels({ channels }: NodeMetrics): void {
    for (const [channel, counts] of Object.entries(channels)) {
      for (const key of CHANNEL_COUNTERS) {
        const value = counts[key as keyof typeof counts];
        this.#total("channel", key, value, { channel });
      }
    }
  }

  #peers({ peers }: NodeMetrics): void {
    for (const { node: peer, roundTripUs, queuedBytes, lanes, busyIsolates } of peers) {
      const roundTrip = roundTripUs === null ? undefined : roundTripUs * SECONDS_PER_US;
      this.#gauge("peer", "roundTripSeconds", roundTrip, { peer });
      this.#gauge("peer", "queuedBytes", queuedBytes, { peer });
      this.#gauge("peer", "lanes", lanes, { peer });
      this.#gauge("peer", "busyIsolates", busyIsolates, { peer });
    }
  }

  #group(
    group: string,
    figures: Readonly<Record<string, number>>,
    isGauge: (key: string) => boolean,
  ): void {
    for (const [key, value] of Object.entries(figures)) {
      if (isGauge(key)) this.#gauge(group, key, value);
      else this.#total(group, key, value);
    }
  }

  #gauge(group: string, key: string, value: number | undefined, labels?: Labels): void {
    this.#reporter.gauge(this.#name(group, key, labels), value, labels);
  }

  #total(group: string, key: string, value: number, labels?: Labels): void {
    this.#reporter.total(this.#name(group, key, labels), value, labels);
  }

  #name(group: string, key: string, labels: Labels | undefined): readonly string[] {
    const name = ["kernel", group, snakeCase(key)];
    const text = name.join(".");
    if (!this.#described.has(text)) {
      this.#described.add(text);
      const help = `${group}.${key} of node.metrics()`;
      this.#reporter.describe(name, help, Object.keys(labels ?? {}));
    }
    return name;
  }
}

type Labels = Readonly<Record<string, string>>;

function snakeCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
