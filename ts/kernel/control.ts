import { Wait } from "../base/deadline.ts";
import { isErrorCode } from "../base/error-codes.ts";
import { FoundationError, native } from "../base/errors.ts";
import type { TypedEvents } from "../base/typed-events.ts";
import type { Attachment } from "./attachment.ts";
import type { Directory, Owner } from "./directory.ts";
import { type Member, type Peer, Peers, toMember } from "./members.ts";
import { type MemberNews, Membership } from "./membership.ts";
import { core } from "./native.ts";
import type { NodeEvents, ReadyOptions } from "./node-types.ts";
import type { SharedNode } from "./shared-runtime.ts";

/** A link came up, in a node without overlays. */
interface UpNews {
  readonly type: "up";
  readonly peer: number;
  readonly node: string;
  readonly address: string;
  readonly life: string;
  readonly busyIsolates: number;
  readonly channels: readonly string[];
}

/** News of the kernel thread, by `type` (native/node/src/events.rs). */
type News =
  | UpNews
  | { type: "down"; peer: number; node: string; reason: string }
  | MemberNews
  | { type: "busy"; node: string; isolates: number }
  | { type: "leaving"; node: string }
  | { type: "joined"; address: string; node: string }
  | { type: "dialFailed"; address: string; code: string; message: string }
  | { type: "refused"; code: string; node: string }
  | { type: "channels"; names: string[] }
  | { type: "owner"; id: number; name: string; slot?: number; generation?: number }
  | ({ type: "pair"; offset: number; capacity: number } & Owner)
  | { type: "pairClosed"; offset: number }
  | { type: "left"; drained: boolean };

/** What the control plane tells the data path. */
export interface ControlSink {
  /** The link of a handle is gone; with `isReleased` nothing was lost with it. */
  onLinkDown(peer: Peer, handle: number, isReleased: boolean): void;
  /** A member is reached by another handle. */
  onRouteChanged(): void;
  /** The member is gone, or its link and with it whatever waited for it. */
  onPeerDown(peer: Peer, reason: string): void;
  onPair(place: Owner & { offset: number; capacity: number }): void;
  onPairClosed(offset: number): void;
  onLeft(isDrained: boolean): void;
}

/** Refusals that trying again does not cure: `join` fails at once. */
const FATAL = new Set([
  "auth_failed",
  "cluster_mismatch",
  "version_mismatch",
  "duplicate_node",
  "insecure_dial",
]);

/** Membership as an isolate sees it: takes the kernel's news, answers questions, emits events. */
export class Control {
  readonly peers = new Peers();
  readonly #node: SharedNode;
  readonly #directory: Directory;
  readonly #events: TypedEvents<NodeEvents>;
  readonly #sink: ControlSink;
  readonly #membership: Membership;
  readonly #ready = new Set<{ options: ReadyOptions; wait: Wait<void> }>();
  readonly #joins = new Set<{
    addresses: ReadonlySet<string>;
    failures: string[];
    wait: Wait<string>;
  }>();
  #busyIsolates = 0;
  #closedFor: FoundationError | undefined;

  constructor(
    node: SharedNode,
    directory: Directory,
    events: TypedEvents<NodeEvents>,
    sink: ControlSink,
  ) {
    this.#node = node;
    this.#directory = directory;
    this.#events = events;
    this.#sink = sink;
    this.#membership = new Membership(this.peers, directory, events, sink, () =>
      this.#onMemberUp(),
    );
  }

  /** This node as a member. */
  self(): Member {
    const { name, address, life } = this.#node;
    return { name, address, life, state: this.#busyIsolates > 0 ? "busy" : "up", self: true };
  }

  /** All members that are up, this node first. */
  members(): Member[] {
    return [this.self(), ...[...this.peers.all()].map(toMember)];
  }

  /** Takes one piece of news. */
  handle(json: string): void {
    const news = JSON.parse(json) as News;
    switch (news.type) {
      case "up":
        return this.#onUp(news);
      case "down":
        return this.#onDown(news.peer, news.reason);
      case "membersUp":
      case "memberDown":
      case "linked":
      case "unlinked":
      case "neighbourUp":
      case "neighbourDown":
      case "overlaySwitch":
      case "removed":
        return this.#membership.handle(news);
      case "busy":
        return this.#onBusy(news.node, news.isolates);
      case "leaving":
        return this.#onLeaving(news.node);
      case "joined":
        return this.#onJoined(news.address, news.node);
      case "dialFailed":
        return this.#onDialFailed(news);
      case "refused":
        return this.#events.emit("refused", { code: news.code, name: news.node });
      case "channels":
        return this.#directory.setChannels(news.names);
      case "owner": {
        const { slot, generation } = news;
        const isOwned = slot !== undefined && generation !== undefined;
        return this.#directory.setOwner(news.id, isOwned ? { slot, generation } : undefined);
      }
      case "pair":
        return this.#sink.onPair(news);
      case "pairClosed":
        return this.#sink.onPairClosed(news.offset);
      case "left":
        return this.#sink.onLeft(news.drained);
      default:
        news satisfies never;
    }
  }

  #onUp(news: Extract<News, { type: "up" }>): void {
    const { peer: handle, node: name, address, life, busyIsolates, channels } = news;
    if (this.peers.behind(handle) !== undefined) return; // told on both rings
    const link = { handle, key: handle, no: undefined, isLinked: true, newsNo: 0, channels };
    const peer: Peer = { ...link, name, address, life, busyIsolates, isLeaving: false };
    this.peers.add(peer);
    this.#events.emit("up", toMember(peer));
    this.#onMemberUp();
    this.#membership.tellChannels("channelUp", peer);
  }

  #onMemberUp(): void {
    for (const entry of [...this.#ready]) {
      if (this.#missing(entry.options).length === 0) entry.wait.resolve();
    }
  }

  /** What is missing for a node to count as ready, for people; nothing where it is. */
  #missing(options: ReadyOptions): readonly string[] {
    const { minimumMembers = 1, channels = [], joinedExisting = false } = options;
    const peers = [...this.peers.all()];
    const missing: string[] = [];
    const note = (has: number, wants: number, what: string): void => {
      if (has < wants) missing.push(`${has} of ${wants} members were ${what}`);
    };
    note(peers.length + 1, minimumMembers, "up");
    const reached = (channel: string): number =>
      peers.filter((peer) => peer.channels.includes(channel)).length + 1;
    for (const channel of channels) {
      note(reached(channel), minimumMembers, `reached by channel '${channel}'`);
    }
    if (joinedExisting && !peers.some(({ life }) => life < this.#node.life)) {
      missing.push("no member was there before this node");
    }
    return missing;
  }

  #onDown(handle: number, reason: string): void {
    const peer = this.peers.remove(handle);
    if (peer === undefined) return;
    this.#sink.onLinkDown(peer, handle, false);
    this.#sink.onPeerDown(peer, reason);
    this.#membership.tellChannels("channelDown", peer);
    this.#events.emit("down", { name: peer.name, reason });
  }

  #onBusy(name: string, isolates: number): void {
    const isSelf = name === this.#node.name;
    const peer = isSelf ? undefined : this.peers.named(name);
    const before = isSelf ? this.#busyIsolates : (peer?.busyIsolates ?? 0);
    if (isSelf) this.#busyIsolates = isolates;
    else if (peer === undefined) return;
    else peer.busyIsolates = isolates;
    if (before > 0 === isolates > 0) return;
    const member = peer === undefined ? this.self() : toMember(peer);
    this.#events.emit(isolates > 0 ? "busy" : "idle", member);
  }

  #onLeaving(name: string): void {
    const peer = this.peers.named(name);
    if (peer === undefined) return;
    peer.isLeaving = true;
    this.#events.emit("leaving", toMember(peer));
  }

  #onJoined(address: string, name: string): void {
    for (const join of [...this.#joins]) {
      if (join.addresses.has(address)) join.wait.resolve(name);
    }
  }

  #onDialFailed(news: Extract<News, { type: "dialFailed" }>): void {
    const { address, code, message } = news;
    for (const join of [...this.#joins]) {
      if (!join.addresses.has(address)) continue;
      join.failures.push(`${address}: ${code}`);
      if (FATAL.has(code) && isErrorCode(code)) {
        join.wait.reject(new FoundationError(code, `${address} refused this node: ${message}`));
      }
    }
    this.#events.emit("dialFailed", { address, code, message });
  }

  /** Resolves once enough members are up. */
  async awaitReady(options: ReadyOptions): Promise<void> {
    const { timeoutMs = 30_000 } = options;
    if (this.#closedFor !== undefined) throw this.#closedFor;
    const { declaredChannels } = this.#node;
    const unknown = options.channels?.find((channel) => !declaredChannels.includes(channel));
    if (unknown !== undefined) {
      throw new FoundationError("unknown_channel", `this node declared no channel '${unknown}'`);
    }
    if (this.#missing(options).length === 0) return;
    const late = (): string => `${this.#missing(options).join(", ")} after ${timeoutMs} ms`;
    const wait = new Wait<void>({ ...options, timeoutMs }, "not_ready", late, () => {
      this.#ready.delete(entry);
    });
    const entry = { options, wait };
    this.#ready.add(entry);
    return wait.promise;
  }

  /** Dials addresses; resolves with the name of the first member that answers at one of them. */
  async join(
    attachment: Attachment,
    addresses: readonly string[],
    timeoutMs: number,
  ): Promise<string> {
    if (this.#closedFor !== undefined) throw this.#closedFor;
    const failures: string[] = [];
    const late = (): string => {
      const why = failures.length === 0 ? "no answer" : [...new Set(failures)].join(", ");
      return `no member answered at ${addresses.join(", ")} within ${timeoutMs} ms (${why})`;
    };
    const wait = new Wait<string>({ timeoutMs }, "join_failed", late, () =>
      this.#joins.delete(join),
    );
    const join = { addresses: new Set(addresses), failures, wait };
    this.#joins.add(join);
    if (!attachment.isDetached) native(() => core.joinNode(this.#node.node, [...addresses]));
    return wait.promise;
  }

  /** Ends every wait: the node is gone, for the reason given. */
  close(reason: FoundationError): void {
    this.#closedFor = reason;
    for (const { wait } of [...this.#ready]) wait.reject(reason);
    for (const { wait } of [...this.#joins]) wait.reject(reason);
  }
}
