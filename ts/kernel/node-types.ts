import type { WaitOptions } from "../base/deadline.ts";
import type { FoundationError } from "../base/errors.ts";
import type { DownEvent, Member } from "./members.ts";
import type { SwitchEvent } from "./overlay-commands.ts";

/**
 * Whom a message is for: a name that an isolate of a node handles. Keep and reuse one object per
 * receiver.
 */
export interface Address {
  /** Node name. */
  readonly node: string;
  /** Name given to `handle` over there. */
  readonly name: string;
}

/** How a message is sent. Defaults: {@link SEND_DEFAULTS}. */
export interface SendOptions {
  /** Channel to send on, one that this node declared. */
  readonly channel?: string;
  /**
   * On monotonic channels a newer message of the same receiver and key replaces a waiting one. On
   * channels with several lanes it picks the lane in the sender's place. At most 1,024 bytes.
   * Default: none.
   */
  readonly key?: string;
  /** Clones a value for a handler of the same isolate, which else gets the very object. */
  readonly copy?: boolean;
}

/** How a message is sent unless its options say otherwise. */
export const SEND_DEFAULTS = Object.freeze({
  channel: "default", // exists in every node
  copy: false, // as BEAM processes of one heap would share, were they able to
});

/** How a call is made. Defaults: {@link CALL_DEFAULTS}. */
export interface CallOptions extends SendOptions {
  /** Longest wait for the answer, time to be accepted included. Unit: ms. */
  readonly timeoutMs?: number;
  /** Ends the call with `aborted`; a late answer is discarded. Default: none. */
  readonly signal?: AbortSignal;
  /** Credit reserved for the answer; a larger one reserves its own. Unit: bytes. */
  readonly replyBytesMax?: number;
}

/** How a call is made unless its options say otherwise. */
export const CALL_DEFAULTS = Object.freeze({
  timeoutMs: 5_000, // as gen_server's
  replyBytesMax: 64 << 10, // a ring's largest record
});

/** What to wait for before sending again. */
export interface DrainedOptions extends WaitOptions {
  /** Node name. */
  readonly to: string;
  /** Channel. Default: `default`. */
  readonly channel?: string;
}

/** When a node counts as ready. */
export interface ReadyOptions {
  /** Members that have to be up, this node included. Unit: members. Default: 1. */
  readonly minimumMembers?: number;
  /**
   * Channels that have to be open to so many of them, this node left out. A channel is open where
   * both sides declared it and there is a link. Unit: names. Default: none.
   */
  readonly channels?: readonly string[];
  /**
   * Waits for a member whose run began before that of this node: who is told that a cluster exists
   * does not begin a second one beside it. Default: false.
   */
  readonly joinedExisting?: boolean;
  /** Longest wait. Unit: ms. Default: 30,000. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`. Default: none. */
  readonly signal?: AbortSignal;
}

/** How a node leaves. */
export interface LeaveOptions {
  /** Time that queued messages get to be sent. Unit: ms. Default: 5,000. */
  readonly drainMs?: number;
}

/** How a message is broadcast. */
export interface TopicOptions extends SendOptions {
  /**
   * Overlay whose tree brings it to all. Default: the one that has the channel, else the first;
   * without overlays each member is sent the message.
   */
  readonly overlay?: string;
}

/**
 * Who took a broadcast. Over an overlay it is all members that are up or none: the tree brings it
 * to those that it reaches, at most once.
 */
export interface BroadcastReceipt {
  /** Members whose queues took it. */
  readonly accepted: readonly string[];
  /** Members whose queues are above the high-water mark: nothing was sent to them. */
  readonly refused: readonly string[];
}

/** What a node reports. */
export interface NodeEvents {
  /** A member is up: its link is, or with overlays the roster says so. */
  up: Member;
  /** A member is gone. */
  down: DownEvent;
  /** An event loop of a member, or of this node, is stalled. */
  busy: Member;
  /** It runs again. */
  idle: Member;
  /** A channel to a member is open; with overlays a member may be up without. */
  channelUp: { readonly name: string; readonly channel: string };
  /** A channel to a member is closed: its link is gone, which with overlays is no loss of it. */
  channelDown: { readonly name: string; readonly channel: string };
  /** An overlay of this node has a neighbour more. */
  neighbourUp: { readonly overlay: string; readonly name: string };
  /** An overlay of this node has a neighbour less. */
  neighbourDown: { readonly overlay: string; readonly name: string };
  /** A switch of an overlay ended. */
  overlaySwitch: SwitchEvent;
  /** The others have taken this run of the node out: only a later one can join. */
  removed: { readonly reason: string };
  /** A member says goodbye; `down` follows. */
  leaving: Member;
  /** A connection was refused: a second live node of one name, for example. */
  refused: { readonly code: string; readonly name: string };
  /** A seed could not be reached; it is tried again. */
  dialFailed: { readonly address: string; readonly code: string; readonly message: string };
  /** This node left the cluster. `drained`: everything queued was handed to the system before. */
  left: { readonly drained: boolean };
  /**
   * The kernel thread panicked (`kernel_panicked`): the node is gone, and whatever waited for it is
   * rejected. Without a listener the error is raised as `uncaughtException`.
   */
  failed: FoundationError;
}

/** Messages and payload bytes of one channel of a node, over all peers since its start. */
export interface ChannelMetrics {
  readonly messagesSent: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly bytesReceived: number;
}

/** Counters and gauges of a node, taken at one moment. docs/metrics.md explains each. */
export interface NodeMetrics {
  readonly node: string;
  /** By channel name. */
  readonly channels: Readonly<Record<string, ChannelMetrics>>;
  /** Sums over all links, closed ones included. */
  readonly links: Readonly<Record<string, number>>;
  readonly peers: readonly {
    readonly node: string;
    readonly roundTripUs: number | null;
    readonly queuedBytes: number;
    readonly lanes: number;
    readonly isSealed: boolean;
    readonly busyIsolates: number;
  }[];
  /** Messages taken from an isolate that could not be given to a link, by code. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly handshakesFailed: Readonly<Record<string, number>>;
  readonly dialsFailed: Readonly<Record<string, number>>;
  /** Links that ended, by the reason of their `down` event. */
  readonly linksEnded: Readonly<Record<string, number>>;
  readonly linksLost: number;
  readonly sealFailures: number;
  readonly corruptRings: number;
  readonly unknownRecords: number;
  readonly staleSlabs: number;
  readonly peersRefused: number;
  readonly badAddresses: number;
  readonly machineMessagesIgnored: number;
  readonly strangers: number;
  /** Nodes that this one is cut off from on purpose. Unit: nodes. */
  readonly cuts: number;
  readonly peersKnown: number;
  readonly isolates: number;
  readonly isolateRings: number;
  /** Times that the kernel thread took the connections over from a stalled isolate. */
  readonly laneTakeovers: number;
  readonly backlogRecords: number;
  readonly reserveFreeBytes: number;
  readonly slabs: Readonly<Record<string, number>>;
  /** What the machines of overlays counted; null in a node without any. */
  readonly overlays: Readonly<Record<string, number>> | null;
  /** Of the whole process: what crosses, or holds on to, the boundary to the native core. */
  readonly boundary: Readonly<Record<string, number>>;
  /** Of the calling isolate alone. */
  readonly isolate: {
    readonly messages: number;
    readonly noHandler: number;
    readonly undecodable: number;
    readonly unknownRecords: number;
    readonly copies: number;
    readonly copiedBytes: number;
    readonly callsWaiting: number;
    readonly lateReplies: number;
    readonly localWaiting: number;
  };
}
