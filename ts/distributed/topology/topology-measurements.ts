import type { Clock } from "../../base/clock.ts";
import type { OverlaySnapshot, TopologySnapshot } from "../../kernel/overlay-commands.ts";
import { SlidingCount } from "./sliding-count.ts";
import type { TopologyNode } from "./topology-node.ts";
import type { ChannelRate, RoundTrips, TopologyInputs } from "./topology-types.ts";

const CHURN_WINDOW_MS = 60_000;
const PARTITION_WINDOW_MS = 600_000;
/** Rates are of up to the last minute. */
const RATES_WINDOW_MS = 60_000;
/** Samples are at least so far apart, so a minute of them is few. */
const SAMPLE_MS = 1_000;
/** Lost members that are remembered in case they come back; as many as a node knows names. */
const LOST_MAX = 2_048;

interface Sample {
  readonly atMs: number;
  readonly channels: ReturnType<TopologyNode["metrics"]>["channels"];
}

/** What a node counts for its decisions. */
export class TopologyMeasurements {
  readonly #node: TopologyNode;
  readonly #clock: Clock;
  readonly #churn = new SlidingCount(CHURN_WINDOW_MS);
  readonly #partitions = new SlidingCount(PARTITION_WINDOW_MS);
  readonly #lives = new Map<string, string>();
  readonly #lost = new Map<string, string>();
  readonly #samples: Sample[] = [];

  constructor(node: TopologyNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
    node.on("up", ({ name, life }) => this.#up(name, life));
    node.on("down", ({ name, reason }) => this.#down(name, reason));
  }

  /** What is known of an overlay now. */
  inputs(
    snapshot: TopologySnapshot,
    overlay: OverlaySnapshot,
    servers: readonly string[],
  ): TopologyInputs {
    const nowMs = this.#clock.now();
    const { self, members } = snapshot;
    const names = [self.name, ...members.map(({ name }) => name)];
    const declared = new Set(servers);
    return {
      strategy: overlay.strategy,
      epoch: overlay.epoch,
      isSwitching: overlay.switchingTo !== undefined,
      members: names.length,
      servers: names.filter((name) => declared.has(name)).length,
      actor: names.toSorted()[0] ?? self.name,
      churnPerMinute: this.#churn.total(nowMs),
      partitionsSeen: this.#partitions.total(nowMs),
      roundTripUs: roundTrips(members.map(({ roundTripUs }) => roundTripUs)),
      ...this.#rates(nowMs),
    };
  }

  #up(name: string, life: string): void {
    const nowMs = this.#clock.now();
    this.#churn.add(nowMs);
    if (this.#lost.get(name) === life) this.#partitions.add(nowMs);
    this.#lost.delete(name);
    this.#lives.set(name, life);
  }

  #down(name: string, reason: string): void {
    this.#churn.add(this.#clock.now());
    const life = this.#lives.get(name);
    this.#lives.delete(name);
    if (reason === "left" || life === undefined) return;
    const [first] = this.#lost.keys();
    if (this.#lost.size >= LOST_MAX && first !== undefined) this.#lost.delete(first);
    this.#lost.set(name, life);
  }

  #rates(nowMs: number): Pick<TopologyInputs, "channels" | "ratesOverMs"> {
    const { channels } = this.#node.metrics();
    const samples = this.#samples;
    while (samples.length > 1 && samples[1]!.atMs <= nowMs - RATES_WINDOW_MS) samples.shift();
    const [first] = samples;
    const last = samples.at(-1);
    if (last === undefined || nowMs - last.atMs >= SAMPLE_MS) {
      samples.push({ atMs: nowMs, channels });
    }
    const ratesOverMs = first === undefined ? 0 : nowMs - first.atMs;
    const rates = Object.entries(channels).map(([name, now]): [string, ChannelRate] => {
      const then = first?.channels[name];
      const perSecond = (sent: number, before = 0): number => {
        return ratesOverMs === 0 ? 0 : ((sent - before) * 1_000) / ratesOverMs;
      };
      return [
        name,
        {
          sentPerSecond: perSecond(now.messagesSent, then?.messagesSent),
          receivedPerSecond: perSecond(now.messagesReceived, then?.messagesReceived),
        },
      ];
    });
    return { channels: Object.fromEntries(rates), ratesOverMs };
  }
}

function roundTrips(all: readonly (number | undefined)[]): RoundTrips | undefined {
  const known = all.filter((one) => one !== undefined).sort((one, other) => one - other);
  if (known.length === 0) return undefined;
  const at = (quantile: number): number => {
    return known[Math.min(known.length - 1, Math.ceil(quantile * known.length) - 1)] ?? 0;
  };
  return { members: known.length, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
