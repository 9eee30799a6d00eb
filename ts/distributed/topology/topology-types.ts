import type { OverlayPeer, RosterMember } from "../../kernel/overlay-commands.ts";
import type { OverlayOptions, OverlayStrategy } from "../../kernel/overlay-options.ts";

type WithoutChannels<Options> = Options extends unknown ? Omit<Options, "channels"> : never;

/**
 * What an overlay is to become: a strategy with its defaults, or one with its options. `static`,
 * and `clientServer` where the policy has no `servers`, need options.
 */
export type TopologyTarget = OverlayStrategy | WithoutChannels<OverlayOptions>;

/** An overlay at one moment. */
export interface TopologyOverlay {
  readonly name: string;
  readonly strategy: OverlayStrategy;
  /** Grows by one with each switch. */
  readonly epoch: number;
  /** What it is being switched to; undefined while it is not. */
  readonly switchingTo: OverlayStrategy | undefined;
  /** Nodes that this one keeps a link to for the overlay. */
  readonly neighbours: readonly OverlayPeer[];
  /** Nodes that it could turn to. */
  readonly passive: readonly OverlayPeer[];
  /** Neighbours that broadcasts are pushed to. */
  readonly eager: readonly OverlayPeer[];
  /** Neighbours that are told of broadcasts. */
  readonly lazy: readonly OverlayPeer[];
  /** Counters of the overlay since the node's start. Unit: events. */
  readonly counters: Readonly<Record<string, number>>;
}

/** All overlays of a node at one moment. */
export interface CurrentTopology {
  /** Name of this node. */
  readonly node: string;
  /** Members that are known, this node included. */
  readonly size: number;
  /** The others, by name. */
  readonly members: readonly RosterMember[];
  /** In the order of the options. */
  readonly overlays: readonly TopologyOverlay[];
}

/** How many messages a channel carries. */
export interface ChannelRate {
  /** Unit: messages a second. */
  readonly sentPerSecond: number;
  /** Unit: messages a second. */
  readonly receivedPerSecond: number;
}

/** Round trips to the members for which one is known. */
export interface RoundTrips {
  readonly members: number;
  /** Unit: µs. */
  readonly p50: number;
  /** Unit: µs. */
  readonly p90: number;
  /** Unit: µs. */
  readonly p99: number;
}

/** What a decision was made from: all of it counted by this node. */
export interface TopologyInputs {
  /** What the overlay runs. */
  readonly strategy: OverlayStrategy;
  readonly epoch: number;
  /** Whether it is being switched. */
  readonly isSwitching: boolean;
  /** Members, this node included. */
  readonly members: number;
  /** Declared servers that are members, this node included. */
  readonly servers: number;
  /** Who carries decisions out: the member with the lowest name. */
  readonly actor: string;
  /** Members that came or went in the last minute. Unit: members a minute. */
  readonly churnPerMinute: number;
  /** Members that were lost, and came back as the same run, in the last ten minutes. */
  readonly partitionsSeen: number;
  /** Undefined while no round trip is known. */
  readonly roundTripUs: RoundTrips | undefined;
  /** By name, over `ratesOverMs`. */
  readonly channels: Readonly<Record<string, ChannelRate>>;
  /** Time that the rates are of: up to a minute. Unit: ms. */
  readonly ratesOverMs: number;
}

/** Which rule has decided; docs/overlays.md has the table. */
export type TopologyRule =
  | "switch-under-way"
  | "static-is-chosen"
  | "servers-declared"
  | "servers-gone"
  | "above-enter"
  | "below-leave"
  | "within-band";

/** What the rules say of an overlay, and what follows. */
export interface TopologyProposal {
  /** What the overlay should run. */
  readonly proposal: OverlayStrategy;
  readonly rule: TopologyRule;
  /**
   * `keep`: it runs that already. `switch`: it is to be switched. `wait`: so soon after the last
   * change it is not. `defer`: another member carries it out.
   */
  readonly verdict: "keep" | "switch" | "wait" | "defer";
  /** The same in words. */
  readonly reason: string;
}

/** A decision of the policy. */
export interface TopologyDecision extends TopologyProposal {
  readonly kind: "decision";
  /** Unit: ms since 1970. */
  readonly atMs: number;
  readonly overlay: string;
  readonly inputs: TopologyInputs;
}

/** A switch that has ended. */
export interface TopologySwitch {
  readonly kind: "switch";
  /** When it ended. Unit: ms since 1970. */
  readonly atMs: number;
  readonly overlay: string;
  readonly from: OverlayStrategy;
  readonly to: OverlayStrategy;
  /** The overlay's epoch afterwards. */
  readonly epoch: number;
  /** `unchanged`: it ran that already, and nothing was done. */
  readonly outcome: "switched" | "rolled_back" | "refused" | "unchanged";
  /** Who wanted it: `member` is another isolate or node. */
  readonly origin: "caller" | "workload" | "policy" | "member";
  /** The rule that wanted it; undefined where somebody did. */
  readonly rule: TopologyRule | undefined;
  /** Why it was not made, or why it was wanted. */
  readonly reason: string;
  /** Undefined where it was begun elsewhere. Unit: ms. */
  readonly durationMs: number | undefined;
  /** What was measured when it began; undefined where it was begun elsewhere. */
  readonly inputs: TopologyInputs | undefined;
}

/** What was decided or done. */
export type TopologyRecord = TopologyDecision | TopologySwitch;

/** What a topology tells. */
export interface TopologyEvents {
  /** The policy has decided; also where it keeps what there is. */
  decision: TopologyDecision;
  /** An overlay has another strategy, whoever wanted it. */
  switched: TopologySwitch;
  /** A switch was not made; the overlay is as it was. */
  switchFailed: TopologySwitch;
}

/** What an overlay should be, and from what that follows. */
export interface TopologyAnalysis extends TopologyProposal {
  readonly overlay: string;
  readonly inputs: TopologyInputs;
}

/** What an application asks for most, in a word. */
export type Workload = "lowLatency" | "highThroughput" | "broadcast" | "clientServer";

/** What a workload asks of an overlay. */
export interface WorkloadAdvice extends TopologyAnalysis {
  readonly workload: Workload;
  /** The sizes that hold for it. */
  readonly enterAboveMembers: number;
  readonly leaveBelowMembers: number;
  /** Why these. */
  readonly because: string;
  /** The switch that was made; undefined where none was asked for, or none is needed. */
  readonly applied: TopologySwitch | undefined;
}
