import { FoundationError, fromNative, native } from "../base/errors.ts";
import { checkKind } from "../base/option-checks.ts";
import { raise, type TypedEvents, type Unsubscribe } from "../base/typed-events.ts";
import type { Arena } from "./arena.ts";
import { Attachment } from "./attachment.ts";
import { Burst } from "./burst.ts";
import { Calls } from "./calls.ts";
import { Control, type ControlSink } from "./control.ts";
import { Directory, type Owner } from "./directory.ts";
import { DrainedWaiters } from "./drained.ts";
import {
  fromWireError,
  HANDLE_DEFAULTS,
  type HandleOptions,
  type Handler,
  Handlers,
  type Registration,
} from "./handlers.ts";
import { Inbox, type InboxSink } from "./inbox.ts";
import { LocalDelivery } from "./local-delivery.ts";
import { LocalMailbox } from "./local-mailbox.ts";
import { NO_HANDLE, type Peer } from "./members.ts";
import { core } from "./native.ts";
import { NeighbourRing } from "./neighbours.ts";
import type {
  Address,
  BroadcastReceipt,
  CallOptions,
  DrainedOptions,
  NodeEvents,
  NodeMetrics,
  SendOptions,
  TopicOptions,
} from "./node-types.ts";
import { isolateKey, LOCAL_PEER, type Origin, type RequestPlace } from "./origin.ts";
import { overlayFor } from "./overlays.ts";
import { type SharedNode, withdrawNode } from "./shared-runtime.ts";
import { slabOf } from "./slabs.ts";
import { type CallPlace, Transmitter } from "./transmitter.ts";
import { type Encoded, encodeValue } from "./values.ts";

/** Longest partition key. Unit: bytes. */
const KEY_BYTES_MAX = 1024;
/** Why the core says that a request came back (native/link/src/message.rs). */
const UNDELIVERED = new Map<number, "noproc" | "remote_exhausted" | "noconnection">([
  [1, "noproc"],
  [2, "remote_exhausted"],
  [3, "noconnection"], // native/node/src/cluster/routes.rs
]);

/** Call options with both defaults filled in. */
type CompleteCall = CallOptions & Required<Pick<CallOptions, "timeoutMs" | "replyBytesMax">>;

/** One isolate's part of a node: where its messages go and where they come from. */
export class Isolate implements InboxSink, ControlSink {
  readonly attachment: Attachment;
  readonly control: Control;
  readonly #arena: Arena;
  readonly #node: SharedNode;
  readonly #events: TypedEvents<NodeEvents>;
  readonly #directory: Directory;
  readonly #handlers = new Handlers();
  readonly #calls = new Calls();
  readonly #waiters = new DrainedWaiters();
  readonly #transmitter: Transmitter;
  readonly #inbox: Inbox;
  readonly #mailbox = new LocalMailbox(() => this.#waiters.check());
  readonly #local: LocalDelivery;
  readonly #origins = new Map<number, Origin>();
  readonly #rings = new Map<number, NeighbourRing>();
  readonly #closedListeners: (() => void)[] = [];
  #burst: Burst | undefined;
  /** Length of the message that was refused last: what the next wait for room is for. */
  #refusedBytes = 0;
  #failure: FoundationError | undefined;

  constructor(arena: Arena, node: SharedNode, events: TypedEvents<NodeEvents>, isPoller: boolean) {
    this.#arena = arena;
    this.#node = node;
    this.#events = events;
    this.attachment = new Attachment(arena, node.node, isPoller);
    const { isolate } = this.attachment;
    this.#directory = new Directory(isolate, node.declaredChannels, () => {
      this.#burst = undefined;
    });
    this.control = new Control(node, this.#directory, events, this);
    this.#transmitter = new Transmitter(arena, this.attachment, node, (channel) =>
      this.#directory.isDeclared(channel),
    );
    this.#local = new LocalDelivery(node.name, this.#mailbox, this.#handlers, this.#calls);
    this.#inbox = new Inbox(arena, isolate, this, this.#handlers, node.drainBudgetMs);
    this.attachment.start(
      this.#inbox,
      () => this.#waiters.check(),
      () => this.#onKernelFailed(),
    );
  }

  #checkAttached(): void {
    if (this.attachment.isDetached) {
      if (this.#failure !== undefined) throw this.#failure;
      throw new FoundationError(
        "node_left",
        `this isolate is no part of '${this.#node.name}' any more`,
      );
    }
  }

  /** Sends a message; see `FoundationNode.send`. */
  send(to: Address, message: unknown, options?: SendOptions): boolean {
    // A burst of bytes to one receiver takes the short way: no head is written for each.
    const burst = this.#burst;
    if (
      burst !== undefined &&
      message instanceof Uint8Array &&
      burst.isFor(to, options) &&
      burst.append(message)
    ) {
      return true;
    }
    return this.#send(to, message, options, undefined);
  }

  #send(
    to: Address,
    message: unknown,
    options: SendOptions | undefined,
    call: CallPlace | undefined,
  ): boolean {
    this.#checkAttached();
    if (to.node === this.#node.name) return this.#sendLocally(to, message, options, call);
    const key = options?.key === undefined ? undefined : encodeKey(options.key);
    const last = this.#burst;
    const burst = last?.isFor(to, options) === true ? last : this.#burstTo(to, options);
    const value = encodeValue(message);
    if (call === undefined && key === undefined && burst.appendEncoded(value)) return true;
    const isTaken = this.#transmitter.send(burst.target as Peer, burst, value, call, key);
    if (!isTaken) this.#refusedBytes = value.length;
    return isTaken;
  }

  /** Link and numbers of a receiver. Bursts go to one, so the last one is remembered. */
  #burstTo(to: Address, options: SendOptions | undefined): Burst {
    const ids = {
      channelId: this.#directory.channelId(options?.channel),
      nameId: this.#directory.nameId(to.name),
    };
    const peer = this.#peer(to.node);
    this.#burst = new Burst(to, options?.channel, ids, peer, this.attachment.writer);
    return this.#burst;
  }

  #peer(name: string): Peer {
    const peer = this.control.peers.named(name);
    if (peer === undefined) {
      throw new FoundationError("noconnection", `'${name}' is not a member`, { context: { name } });
    }
    if (peer.handle === NO_HANDLE) {
      // A handle is enough to send to it: the kernel thread dials, and holds what comes meanwhile.
      const handle = native(() => core.openRoute(this.attachment.isolate, name));
      this.control.peers.setHandle(peer, handle);
    }
    return peer;
  }

  #sendLocally(
    to: Address,
    message: unknown,
    options: SendOptions | undefined,
    call: CallPlace | undefined,
  ): boolean {
    const last = this.#burst;
    if (last?.isFor(to, options) === true) {
      const value = encodeValue(message);
      if (call === undefined && last.appendEncoded(value)) return true;
      return this.#sendToNeighbour(last, value, call);
    }
    const channelId = this.#directory.channelId(options?.channel);
    const nameId = this.#directory.nameId(to.name);
    const owner = this.#ownerOf(nameId);
    if (owner === "here") {
      const value = options?.copy === true ? structuredClone(message) : message;
      return this.#local.push(nameId, to.name, this.#directory.channelName(channelId), value, call);
    }
    // The kernel thread may know already that an isolate is gone which the directory still names.
    const neighbour = owner === undefined ? undefined : this.#transmitter.neighbour(owner);
    if (owner === undefined || neighbour === undefined) return this.#toNobody(to.name, call);
    const { writer } = neighbour;
    this.#burst = new Burst(to, options?.channel, { channelId, nameId }, owner, writer);
    return this.#sendToNeighbour(this.#burst, encodeValue(message), call);
  }

  /** See `ClusterNode.countBytes`. */
  countBytes(bytes: Uint8Array): Uint8Array {
    this.#checkAttached();
    return this.#inbox.payload.count(bytes);
  }

  /** See `ClusterNode.sendLed`. */
  sendLed(
    to: Address,
    lead: readonly unknown[],
    bytes: Uint8Array,
    options: SendOptions | undefined,
  ): boolean {
    this.#checkAttached();
    const channelId = this.#directory.channelId(options?.channel);
    const nameId = this.#directory.nameId(to.name);
    const owner = to.node === this.#node.name ? this.#ownerOf(nameId) : "elsewhere";
    const isInline = bytes.length <= this.attachment.writer.inlineBytesMax;
    const isWhole = typeof owner === "string" || (isInline && slabOf(bytes) === undefined);
    if (isWhole) return this.send(to, [...lead, bytes], options);
    if (owner === undefined) return this.#toNobody(to.name, undefined);
    const isTaken = this.#transmitter.sendLed({ owner, channelId, nameId }, bytes, lead);
    if (isTaken === false) this.#refusedBytes = bytes.length;
    return isTaken ?? this.#toNobody(to.name, undefined);
  }

  #sendToNeighbour(burst: Burst, value: Encoded, call: CallPlace | undefined): boolean {
    if (call !== undefined) {
      this.#calls.assign(call.correlation, isolateKey(burst.target as Owner));
    }
    const isTaken = this.#transmitter.sendToNeighbour(burst, value, call);
    if (isTaken === false) this.#refusedBytes = value.length;
    return isTaken ?? this.#toNobody(burst.name, call);
  }

  /** As over a link: a message to nobody is counted, a call is answered. */
  #toNobody(name: string, call: CallPlace | undefined): true {
    this.#burst = undefined;
    this.#inbox.counts.noHandler++;
    if (call !== undefined) this.#rejectNoProcess(call.correlation, name);
    return true;
  }

  #ownerOf(name: number): Owner | "here" | undefined {
    if (this.#handlers.get(name) !== undefined) return "here";
    const owner = this.#directory.owner(name);
    return owner?.slot === this.attachment.slot ? undefined : owner;
  }

  #rejectNoProcess(correlation: number, name: string): void {
    const error = new FoundationError("noproc", `nobody handles '${name}'`);
    queueMicrotask(() => this.#calls.reject(correlation, error));
  }

  /** Calls a name; see `FoundationNode.call`. */
  async call(
    to: Address,
    message: unknown,
    options: CompleteCall,
    onOpen?: (giveUp: () => void) => void,
  ): Promise<unknown> {
    const { timeoutMs, replyBytesMax } = options;
    const endMs = performance.now() + timeoutMs;
    const peer = to.node === this.#node.name ? LOCAL_PEER : this.#peer(to.node).key;
    const { id, promise } = this.#calls.open(peer, `'${to.name}' at '${to.node}'`, options);
    const call: CallPlace = { correlation: id, replyBytesMax };
    onOpen?.(() => this.#calls.giveUp(id));
    // A failure to send ends the call, whose promise then carries it.
    const request = async (): Promise<void> => {
      while (this.#calls.isOpen(id) && !this.#send(to, message, options, call)) {
        const left = Math.max(1, endMs - performance.now());
        await this.drained({ ...options, to: to.node, timeoutMs: left });
      }
    };
    request().catch((thrown: unknown) => {
      if (this.#calls.isOpen(id)) this.#calls.reject(id, thrown);
    });
    return promise;
  }

  /** Waits for room; see `FoundationNode.drained`. */
  async drained(options: DrainedOptions): Promise<void> {
    this.#checkAttached();
    const channel = this.#directory.channelId(options.channel);
    const bytes = this.#refusedBytes;
    this.#refusedBytes = 0;
    if (options.to === this.#node.name) {
      return this.#waiters.add(options, undefined, () => {
        return this.#mailbox.hasRoom && this.#transmitter.haveNeighboursRoom(channel, bytes);
      });
    }
    const peer = this.#peer(options.to);
    return this.#waiters.add(options, peer.key, () => {
      const isOpen =
        peer.handle === NO_HANDLE || this.#transmitter.isWritable(peer.handle, channel);
      return isOpen && this.attachment.writer.hasRoom(bytes);
    });
  }

  /** Sends to all; see `FoundationNode.broadcast`. */
  broadcast(name: string, message: unknown, options?: TopicOptions): BroadcastReceipt {
    this.#checkAttached();
    const channel = this.#directory.channelId(options?.channel);
    const id = this.#directory.nameId(name);
    const key = options?.key === undefined ? undefined : encodeKey(options.key);
    const value = encodeValue(message);
    const overlay = overlayFor(this.#node.overlays, options);
    if (overlay !== undefined) {
      if (key !== undefined) {
        throw new FoundationError("invalid_options", "a broadcast over an overlay takes no key");
      }
      const isTaken = this.#transmitter.broadcastOver(overlay, channel, id, value);
      const names = [...this.control.peers.all()].map((peer) => peer.name);
      return isTaken ? { accepted: names, refused: [] } : { accepted: [], refused: names };
    }
    const receipt = { accepted: [] as string[], refused: [] as string[] };
    for (const peer of this.control.peers.all()) {
      const isTaken = this.#transmitter.broadcast(peer, channel, id, value, key);
      (isTaken ? receipt.accepted : receipt.refused).push(peer.name);
    }
    return receipt;
  }

  /** Registers a handler; see `FoundationNode.handle`. */
  handle(name: string, run: Handler, options: HandleOptions = {}): Unsubscribe {
    const { isolate } = this.attachment;
    const register = (id: number): void => core.registerName(isolate, id);
    return this.#register(name, run, options, register, (id) => core.unregisterName(isolate, id));
  }

  /** Takes a topic's broadcasts; see `ClusterNode.subscribe`. */
  subscribe(topic: string, run: Handler, options: HandleOptions = {}): Unsubscribe {
    const { isolate } = this.attachment;
    const set = (id: number, isWanted: boolean): void => {
      core.subscribeTopic(isolate, id, isWanted);
    };
    return this.#register(
      topic,
      run,
      options,
      (id) => set(id, true),
      (id) => set(id, false),
    );
  }

  #register(
    name: string,
    run: Handler,
    options: HandleOptions,
    register: (id: number) => void,
    unregister: (id: number) => void,
  ): Unsubscribe {
    this.#checkAttached();
    checkKind(`the handler of '${name}'`, typeof run === "function", "a function");
    const id = this.#directory.nameId(name);
    const bytes = options.bytes ?? HANDLE_DEFAULTS.bytes;
    const registration: Registration = { name, run: run as Registration["run"], bytes };
    this.#handlers.add(id, registration);
    this.#burst = undefined; // messages to the name end here from now on
    try {
      native(() => register(id));
    } catch (thrown) {
      this.#handlers.remove(id, registration);
      throw thrown;
    }
    return () => {
      const isRemoved = this.#handlers.remove(id, registration);
      if (isRemoved && !this.attachment.isDetached) native(() => unregister(id));
    };
  }

  /** This isolate's counts. */
  metrics(): NodeMetrics["isolate"] {
    this.#checkAttached();
    const { copies, copiedBytes } = this.#inbox.payload;
    return {
      ...this.#inbox.counts,
      copies,
      copiedBytes,
      callsWaiting: this.#calls.size,
      lateReplies: this.#calls.lateReplies,
      localWaiting: this.#mailbox.size,
    };
  }

  // What the inbox asks and tells.

  origin(peer: number): Origin | undefined {
    const known = this.#origins.get(peer);
    if (known !== undefined) return known;
    const behind = this.control.peers.behind(peer);
    if (behind === undefined) return undefined;
    const { settlement } = this.attachment;
    const origin: Origin = {
      peer,
      node: behind.name,
      settle: (channel, account, bytes) => settlement.add(peer, channel, account, bytes),
    };
    this.#origins.set(peer, origin);
    return origin;
  }

  /** Whose broadcast it is; there is no credit to give back. */
  broadcastOrigin(peer: number, no: number): Origin | undefined {
    const sender = this.control.peers.numbered(no);
    return sender === undefined ? undefined : { peer, node: sender.name, settle: () => {} };
  }

  channelName(channel: number): string {
    return this.#directory.channelName(channel);
  }

  onReply(correlation: number, isError: boolean, value: unknown): void {
    if (isError) this.#calls.reject(correlation, fromWireError(value, "the handler failed"));
    else this.#calls.resolve(correlation, value);
  }

  onUndecodable(correlation: number, error: unknown): void {
    this.#calls.reject(correlation, error);
  }

  onEvent(json: string): void {
    this.control.handle(json);
  }

  onWritable(): void {
    this.#waiters.check();
  }

  onUndelivered(correlation: number, reason: number): void {
    const code = UNDELIVERED.get(reason) ?? "undelivered";
    const text = code === "noproc" ? "nobody handles that name" : "the request was not delivered";
    this.#calls.reject(correlation, new FoundationError(code, text));
  }

  reply(request: RequestPlace, value: unknown): void {
    if (!this.attachment.isDetached) this.#transmitter.reply(request, value);
  }

  replyError(request: RequestPlace, thrown: unknown): void {
    if (!this.attachment.isDetached) this.#transmitter.replyError(request, thrown);
  }

  // What the control plane tells.

  onLinkDown(_peer: Peer, handle: number): void {
    this.#origins.delete(handle);
    this.#inbox.forgetOrigin(handle);
    this.#burst = undefined;
    this.attachment.settlement.forget(handle);
    this.#waiters.check();
  }

  onRouteChanged(): void {
    this.#burst = undefined;
  }

  onPeerDown(peer: Peer, reason: string): void {
    this.#waiters.reject(peer.key, peer.name);
    const text = `the link to '${peer.name}' went down (${reason})`;
    this.#calls.rejectAll("noconnection", text, peer.key);
  }

  onPair(place: Owner & { offset: number; capacity: number }): void {
    const { isolate } = this.attachment;
    const ring = new NeighbourRing(this.#arena, isolate, this.#node.name, place, place.capacity);
    this.#rings.set(place.offset, ring);
    this.attachment.addRing(ring);
  }

  onPairClosed(offset: number): void {
    // News that stood behind `left` in the ring: the rings went with the attachment.
    if (this.attachment.isDetached) return;
    const ring = this.#rings.get(offset);
    if (ring !== undefined) {
      // Everything the other isolate had shown is still delivered.
      this.attachment.drainRing(ring);
      this.attachment.removeRing(ring);
      ring.close();
      this.#rings.delete(offset);
    } else {
      const gone = this.#transmitter.forgetNeighbour(offset);
      if (gone !== undefined) this.#onNeighbourGone(gone);
    }
    native(() => core.closePair(this.attachment.isolate, offset));
    this.#waiters.check();
  }

  #onNeighbourGone(place: Owner): void {
    this.#burst = undefined;
    // What it had said before comes first, whichever of the two rings is told of first.
    for (const [, ring] of this.#rings) {
      if (ring.isFrom(place)) this.attachment.drainRing(ring);
    }
    const text = "the isolate that handled the call is gone";
    this.#calls.rejectAll("noproc", text, isolateKey(place));
  }

  onLeft(isDrained: boolean): void {
    this.close();
    this.#events.emit("left", { drained: isDrained });
  }

  /** Lets go of the node; what waits in it ends with the reason. */
  close(reason = new FoundationError("node_left", "the node left the cluster")): void {
    if (this.attachment.isDetached) return;
    this.#burst = undefined;
    this.#transmitter.close();
    for (const ring of this.#rings.values()) ring.close();
    this.attachment.detach();
    this.control.close(reason);
    this.#waiters.close(reason);
    this.#calls.close(reason);
    for (const listener of this.#closedListeners.splice(0)) listener();
  }

  /** See `ClusterNode.onClosed`. */
  onClosed(listener: () => void): void {
    this.#closedListeners.push(listener);
  }

  /** The kernel thread panicked. Nobody serves the node any more, and that must not go unheard. */
  #onKernelFailed(): void {
    if (this.attachment.isDetached) return;
    const error = kernelFailure(this.#node);
    this.#failure = error;
    withdrawNode(this.#node.node);
    this.close(error);
    if (!this.#events.isHeard("failed")) raise(error);
    this.#events.emit("failed", error);
  }
}

/** What the core has to say of a kernel thread that panicked. */
function kernelFailure({ node, name }: SharedNode): FoundationError {
  let thrown: unknown;
  try {
    core.nodeMetrics(node);
  } catch (error) {
    thrown = fromNative(error);
  }
  if (thrown instanceof FoundationError && thrown.code === "kernel_panicked") return thrown;
  return new FoundationError("kernel_panicked", `the kernel thread of '${name}' panicked`);
}

function encodeKey(key: string): Uint8Array {
  const bytes = Buffer.from(key);
  if (bytes.length > KEY_BYTES_MAX) {
    throw new FoundationError("invalid_options", `a key has at most ${KEY_BYTES_MAX} bytes`);
  }
  return bytes;
}
