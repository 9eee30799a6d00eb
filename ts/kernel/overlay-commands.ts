import type { OverlayOptions } from "./overlay-options.ts";

/** A node in an overlay, as a snapshot shows it. */
export interface OverlayPeer {
  /** Node name. */
  readonly name: string;
  /** Its run: printable, and a later run compares greater. */
  readonly life: string;
}

/** One overlay of a node at one moment. */
export interface OverlaySnapshot {
  /** Its name in the options. */
  readonly name: string;
  /** What it runs. */
  readonly strategy: OverlayOptions["strategy"];
  /** Grows by one with each switch; all members of one overlay and epoch run one strategy. */
  readonly epoch: number;
  /** The strategy that is being switched to; undefined while there is no switch. */
  readonly switchingTo: OverlayOptions["strategy"] | undefined;
  /** Peers that this node keeps a link to for the overlay. */
  readonly neighbours: readonly OverlayPeer[];
  /** Peers known in reserve (`hyparview`); empty elsewhere. */
  readonly passive: readonly OverlayPeer[];
  /** Neighbours that broadcasts are pushed to. */
  readonly eager: readonly OverlayPeer[];
  /** Neighbours that are only told of broadcasts. */
  readonly lazy: readonly OverlayPeer[];
  /** Links that the last broadcast of another node came over; undefined before one. Unit: links. */
  readonly lastHops: number | undefined;
  /** Counters of the overlay and its broadcasts since the node's start, by name. Unit: events. */
  readonly counters: Readonly<Record<string, number>>;
}

/** A node as the cluster's roster has it. */
export interface RosterMember extends OverlayPeer {
  /** Where it listens; empty where nobody can dial it. */
  readonly address: string;
  /** What the detector thinks of it. */
  readonly state: "alive" | "busy" | "suspect" | "leaving";
  /** Whether this node has a link to it. */
  readonly isLinked: boolean;
  /** Round trip, measured or estimated; undefined where neither is known yet. Unit: µs. */
  readonly roundTripUs: number | undefined;
}

/** All overlays of a node at one moment. Whatever it holds was read in one step. */
export interface TopologySnapshot {
  /** This node. */
  readonly self: OverlayPeer;
  /** Members that are known, this node excluded, in order of their names. */
  readonly members: readonly RosterMember[];
  /** By the order of the options. */
  readonly overlays: readonly OverlaySnapshot[];
  /** Counters of roster, detector and router since the node's start. Unit: events. */
  readonly counters: Readonly<Record<string, number>>;
}

/** How a switch ended. */
export interface SwitchOutcome {
  /** Name of the overlay. */
  readonly overlay: string;
  /**
   * `switched`: all that are reachable run the new one. `rolled_back`: it did not connect, or not
   * in time, and the old one goes on. `refused`: another switch runs, or `from` and `epoch` are not
   * those of the overlay.
   */
  readonly outcome: "switched" | "rolled_back" | "refused";
  /** The overlay's epoch afterwards. */
  readonly epoch: number;
  /** Why, where it was not switched; else empty. */
  readonly reason: string;
}

/** How a switch ended, as the event `overlaySwitch` tells it on every member that knew of it. */
export type SwitchEvent = SwitchOutcome;

/** What code above the kernel may ask of a node that has overlays. `ClusterNode` implements it. */
export interface OverlayCommands {
  /**
   * Everything about the node's overlays.
   *
   * @throws FoundationError `no_overlays` on a node without any, `node_left`
   */
  topologySnapshot(): TopologySnapshot;

  /**
   * Replaces an overlay on all members: compare-and-switch. Both run until the new one is
   * verified. Resolves with how it ended; a switch that could not begin is `refused`.
   *
   * @param overlay Name of the overlay.
   * @param from The strategy that it has to have now.
   * @param to The new strategy. Its options are those with which each node was started; others are
   *   refused.
   * @param options `epoch`: the epoch that it has to have now. `timeoutMs`: longest wait for the
   *   outcome, which says nothing about the switch itself; default 60,000.
   * @throws FoundationError `no_overlays`, `unknown_overlay`, `invalid_options`, `timeout`,
   *   `aborted`, `node_left`
   */
  switchOverlay(
    overlay: string,
    from: OverlayOptions["strategy"],
    to: Omit<OverlayOptions, "channels">,
    options: { readonly epoch: number; readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<SwitchOutcome>;
}
