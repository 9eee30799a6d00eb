import type { TypedEvents } from "../base/typed-events.ts";
import type { ControlSink } from "./control.ts";
import type { Directory } from "./directory.ts";
import { NO_HANDLE, type Peer, type Peers, toMember } from "./members.ts";
import type { NodeEvents } from "./node-types.ts";
import type { SwitchEvent } from "./overlay-commands.ts";

/** A member that came up. One of many in one piece of news, so without the names of its parts. */
type MemberUp = readonly [
  no: number,
  name: string,
  address: string,
  life: string,
  busyIsolates: number,
  isLeaving: boolean,
];

/** News of a node with overlays (native/node/src/cluster): members and links apart. */
export type MemberNews =
  | { type: "membersUp"; members: readonly MemberUp[] }
  | { type: "memberDown"; node: string; life: string; reason: string }
  | {
      type: "linked";
      peer: number;
      newsNo: number;
      node: string;
      life: string;
      isLinked: boolean;
      channels: string[];
    }
  | { type: "unlinked"; peer: number; newsNo: number; node: string; reason: string }
  | { type: "neighbourUp" | "neighbourDown"; overlay: string; node: string }
  | ({ type: "overlaySwitch" } & SwitchEvent)
  | { type: "removed"; reason: string };

/** Reasons for the end of a handle with which nothing was lost. */
const HARMLESS = new Set(["released", "unrouted"]);
/** Keys of members begin above all handles of links. */
const KEYS_FROM = 2 ** 32;

/** Members of a node with overlays: who is up is one thing, whom it has a link to another. */
export class Membership {
  readonly #peers: Peers;
  readonly #directory: Pick<Directory, "isDeclaredName">;
  readonly #events: TypedEvents<NodeEvents>;
  readonly #sink: ControlSink;
  readonly #onUp: () => void;
  #nextKey = KEYS_FROM;

  constructor(
    peers: Peers,
    directory: Pick<Directory, "isDeclaredName">,
    events: TypedEvents<NodeEvents>,
    sink: ControlSink,
    onUp: () => void,
  ) {
    this.#peers = peers;
    this.#directory = directory;
    this.#events = events;
    this.#sink = sink;
    this.#onUp = onUp;
  }

  /** Takes one piece of news. */
  handle(news: MemberNews): void {
    switch (news.type) {
      case "membersUp":
        for (const member of news.members) this.#onMemberUp(member);
        return this.#onUp();
      case "memberDown": {
        const peer = this.#peers.named(news.node);
        if (peer?.life === news.life) this.#remove(peer, news.reason);
        return;
      }
      case "linked":
        return this.#onLinked(news);
      case "unlinked": {
        const peer = this.#peers.behind(news.peer);
        if (peer === undefined) return;
        peer.newsNo = Math.max(peer.newsNo, news.newsNo);
        return this.#unlink(peer, news.reason);
      }
      case "neighbourUp":
      case "neighbourDown":
        return this.#events.emit(news.type, { overlay: news.overlay, name: news.node });
      case "overlaySwitch": {
        const { overlay, outcome, epoch, reason } = news;
        return this.#events.emit("overlaySwitch", { overlay, outcome, epoch, reason });
      }
      case "removed":
        return this.#events.emit("removed", { reason: news.reason });
      default:
        news satisfies never;
    }
  }

  #onMemberUp([no, name, address, life, busyIsolates, isLeaving]: MemberUp): void {
    const before = this.#peers.named(name);
    if (before !== undefined && before.life >= life) return; // told on both rings
    if (before !== undefined) this.#remove(before, "restarted");
    const link = { handle: NO_HANDLE, key: this.#nextKey++, isLinked: false, newsNo: 0 };
    const peer: Peer = { ...link, no, channels: [], name, address, life, busyIsolates, isLeaving };
    this.#peers.add(peer);
    this.#events.emit("up", toMember(peer));
  }

  #remove(peer: Peer, reason: string): void {
    if (peer.handle !== NO_HANDLE) this.#unlink(peer, reason);
    this.#peers.removeMember(peer);
    this.#sink.onPeerDown(peer, reason);
    this.#events.emit("down", { name: peer.name, reason });
  }

  #onLinked(news: Extract<MemberNews, { type: "linked" }>): void {
    const peer = this.#peers.named(news.node);
    if (peer === undefined || peer.life !== news.life || news.newsNo <= peer.newsNo) return;
    peer.newsNo = news.newsNo;
    // Of a link whose end is told behind bulk the new one is told first.
    if (peer.isLinked) this.#unlink(peer, "link_replaced");
    this.#peers.setHandle(peer, news.peer);
    this.#sink.onRouteChanged();
    if (!news.isLinked) return;
    peer.isLinked = true;
    peer.channels = news.channels;
    this.tellChannels("channelUp", peer);
    this.#onUp(); // somebody may wait for a channel
  }

  #unlink(peer: Peer, reason: string): void {
    const { handle, isLinked } = peer;
    const isHarmless = HARMLESS.has(reason);
    this.#peers.setHandle(peer, NO_HANDLE);
    peer.isLinked = false;
    this.#sink.onLinkDown(peer, handle, isHarmless);
    if (!isHarmless) this.#sink.onPeerDown(peer, reason);
    if (isLinked) this.tellChannels("channelDown", peer);
    peer.channels = [];
  }

  /** Tells of each channel that both ends declared. */
  tellChannels(event: "channelUp" | "channelDown", { name, channels }: Peer): void {
    for (const channel of channels) {
      if (this.#directory.isDeclaredName(channel)) this.#events.emit(event, { name, channel });
    }
  }
}
