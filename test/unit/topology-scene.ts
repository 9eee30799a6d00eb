import { FoundationError } from "../../ts/base/errors.ts";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { TypedEvents, type Unsubscribe } from "../../ts/base/typed-events.ts";
import { Topology } from "../../ts/distributed/topology/topology.ts";
import type { TopologyNode } from "../../ts/distributed/topology/topology-node.ts";
import type { TopologyOptions } from "../../ts/distributed/topology/topology-options.ts";
import type { DownEvent, Member } from "../../ts/kernel/members.ts";
import type {
  OverlaySnapshot,
  SwitchEvent,
  SwitchOutcome,
  TopologySnapshot,
} from "../../ts/kernel/overlay-commands.ts";
import type { OverlayStrategy } from "../../ts/kernel/overlay-options.ts";

interface Heard {
  up: Member;
  down: DownEvent;
  overlaySwitch: SwitchEvent;
}

type Switching = Parameters<TopologyNode["switchOverlay"]>;

/** A node that has members and overlays because a test says so. */
export class PretendedNode implements TopologyNode {
  readonly name = "b";
  readonly events = new TypedEvents<Heard>();
  members: readonly { readonly name: string; readonly roundTripUs?: number }[] = [];
  overlays = new Map<string, { strategy: OverlayStrategy; epoch: number; to?: OverlayStrategy }>();
  sent = 0;
  readonly joined: string[] = [];
  /** What was asked of it. */
  readonly asked: Switching[] = [];
  /** How switches end; what it throws, they reject with. */
  ends: (overlay: string) => Promise<SwitchOutcome["outcome"]> = async () => "switched";

  constructor(overlays: Readonly<Record<string, OverlayStrategy>>) {
    for (const [name, strategy] of Object.entries(overlays)) {
      this.overlays.set(name, { strategy, epoch: 0 });
    }
  }

  /** Gives it so many members, this one included. */
  resize(size: number): void {
    this.members = Array.from({ length: size - 1 }, (_, at) => ({ name: `node-${at}` }));
  }

  on<Name extends keyof Heard>(name: Name, listener: (event: Heard[Name]) => void): Unsubscribe {
    return this.events.on(name, listener);
  }

  metrics(): ReturnType<TopologyNode["metrics"]> {
    const { sent } = this;
    const channel = { messagesSent: sent, bytesSent: 0, messagesReceived: 0, bytesReceived: 0 };
    return { channels: { default: channel } };
  }

  async join(addresses: readonly string[]): Promise<string> {
    this.joined.push(...addresses);
    return "a";
  }

  topologySnapshot(): TopologySnapshot {
    if (this.overlays.size === 0) throw new FoundationError("no_overlays", "there are none");
    const peers = this.members.map(({ name, roundTripUs }) => ({
      name,
      life: "1",
      address: "",
      state: "alive" as const,
      isLinked: true,
      roundTripUs,
    }));
    const overlays = [...this.overlays].map(([name, { strategy, epoch, to }]): OverlaySnapshot => {
      const views = {
        neighbours: [],
        passive: [],
        eager: [],
        lazy: [],
        lastHops: undefined,
        counters: {},
      };
      return { name, strategy, epoch, switchingTo: to, ...views };
    });
    return { self: { name: this.name, life: "1" }, members: peers, overlays, counters: {} };
  }

  /** Switches an overlay as another node would have it. */
  become(overlay: string, strategy: OverlayStrategy): void {
    const { epoch } = this.overlays.get(overlay)!;
    this.overlays.set(overlay, { strategy, epoch: epoch + 1 });
  }

  async switchOverlay(...asked: Switching): Promise<SwitchOutcome> {
    this.asked.push(asked);
    const [overlay, from, { strategy: to }, { epoch }] = asked;
    const before = this.overlays.get(overlay)!;
    if (before.strategy !== from || before.epoch !== epoch || before.to !== undefined) {
      return { overlay, outcome: "refused", epoch: before.epoch, reason: "changed" };
    }
    before.to = to;
    const outcome = await this.ends(overlay).finally(() => delete before.to);
    if (outcome === "switched") this.become(overlay, to);
    const { epoch: after } = this.overlays.get(overlay)!;
    const reason = outcome === "switched" ? "" : "not connected in time";
    const told = { overlay, outcome, epoch: after, reason };
    this.events.emit("overlaySwitch", told);
    return told;
  }
}

/** A topology over a pretended node, in time that stands still. */
export function topologyScene(
  options: TopologyOptions = {},
  overlays: Readonly<Record<string, OverlayStrategy>> = { data: "fullMesh" },
): { node: PretendedNode; clock: ManualClock; topology: Topology } {
  const node = new PretendedNode(overlays);
  const clock = new ManualClock();
  const topology = new Topology(node, options, clock);
  return { node, clock, topology };
}
