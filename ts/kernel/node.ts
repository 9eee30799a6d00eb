import { Wait } from "../base/deadline.ts";
import { FoundationError, native } from "../base/errors.ts";
import { checkKind } from "../base/option-checks.ts";
import { TypedEvents, type Unsubscribe } from "../base/typed-events.ts";
import { NodeFaults } from "./faults.ts";
import type { HandleOptions, Handler, MessageContext } from "./handlers.ts";
import {
  heapOf,
  type InterruptOptions,
  type IsolateHeap,
  listIsolates,
  type NodeIsolate,
  stackOf,
  terminateIsolate,
} from "./interrupts.ts";
import { Isolate } from "./isolate.ts";
import { NodeKeys } from "./keys.ts";
import type { Member } from "./members.ts";
import { core } from "./native.ts";
import { checkAddresses, checkDrain, checkReady, checkTime } from "./node-checks.ts";
import type {
  BroadcastReceipt,
  CallOptions,
  DrainedOptions,
  LeaveOptions,
  ReadyOptions,
  SendOptions,
  TopicOptions,
} from "./node-types.ts";
import { type Address, CALL_DEFAULTS, type NodeEvents, type NodeMetrics } from "./node-types.ts";
import type { OpenedNode } from "./opened-node.ts";
import type { OverlayCommands, SwitchOutcome, TopologySnapshot } from "./overlay-commands.ts";
import { OverlayCalls } from "./overlays.ts";
import { type SharedNode, withdrawNode } from "./shared-runtime.ts";

/**
 * A node of the cluster, as one isolate of its process holds it: membership and messages. Every
 * isolate that attached has the same calls with rings of its own. Values cross as bytes; order
 * holds between one sender and one receiver on one channel.
 */
export class ClusterNode implements OverlayCommands {
  /** Node name, unique in the cluster. */
  readonly name: string;
  /** `host:port` under which others reach it. */
  readonly address: string;
  /** This run of the node: printable, and a later run compares greater. */
  readonly life: string;
  /** The secrets that this node accepts. */
  readonly keys: NodeKeys;
  /** Cuts in the network, made on purpose. */
  readonly faults: NodeFaults;
  /** This isolate's place in the node. */
  readonly place: { readonly slot: number; readonly generation: number };
  readonly #node: SharedNode;
  readonly #isolate: Isolate;
  readonly #overlays: OverlayCalls;
  readonly #events = new TypedEvents<NodeEvents>();
  #left: Promise<void> | undefined;

  /** Attaches the calling isolate; use `Foundation.start` or `Foundation.attach`. */
  constructor({ arena, node, isPoller }: OpenedNode) {
    this.#node = node;
    this.name = node.name;
    this.address = node.address;
    this.life = node.life;
    this.keys = new NodeKeys(node.node);
    this.faults = new NodeFaults(node.node, node.name);
    this.#isolate = new Isolate(arena, node, this.#events, isPoller);
    this.#overlays = new OverlayCalls(node, this.#events);
    const { slot, generation } = this.#isolate.attachment;
    this.place = Object.freeze({ slot, generation });
    this.#events.on("left", () => withdrawNode(node.node));
  }

  /** Calls `listener` at every event of that name until the returned function is called. */
  on<Name extends keyof NodeEvents>(
    name: Name,
    listener: (event: NodeEvents[Name]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * Calls `listener` once, when this isolate has let go of the node for whatever reason. For what
   * stands on it: unlike a listener of `failed` it hides nothing from the application.
   */
  onClosed(listener: () => void): void {
    this.#isolate.onClosed(listener);
  }

  /** Members that are up, this node first. */
  members(): readonly Member[] {
    return this.#isolate.control.members();
  }

  /** The present run of a member; undefined where it is not up. */
  lifeOf(name: string): string | undefined {
    return name === this.name ? this.life : this.#isolate.control.peers.named(name)?.life;
  }

  /**
   * Resolves once enough members are up.
   *
   * @throws FoundationError `not_ready` after `timeoutMs`, `aborted`, `node_left`,
   *   `invalid_options`, `unknown_channel`
   */
  async awaitReady(options: ReadyOptions): Promise<void> {
    checkReady(options);
    return this.#isolate.control.awaitReady(options);
  }

  /**
   * Dials addresses of members; resolves with the name of the first one that answers. They stay
   * seeds: if the member is lost, they are dialled again.
   *
   * @throws FoundationError `join_failed` after `timeoutMs` (default 10,000 ms) with what each
   *   address answered; `auth_failed`, `cluster_mismatch`, `version_mismatch`, `duplicate_node` or
   *   `insecure_dial` at once
   */
  async join(
    addresses: string | readonly string[],
    options: { readonly timeoutMs?: number } = {},
  ): Promise<string> {
    const list = typeof addresses === "string" ? [addresses] : addresses;
    checkAddresses(list);
    checkTime("timeoutMs", options.timeoutMs);
    if (list.length === 0) {
      throw new FoundationError("invalid_options", "join needs at least one address");
    }
    return this.#isolate.control.join(this.#isolate.attachment, list, options.timeoutMs ?? 10_000);
  }

  /**
   * Takes back what {@link join} and the option `seeds` said: these addresses are dialled no
   * longer, nor are members at them that there is no link to. Whoever dials this node from there is
   * let in.
   *
   * @param options `hangUp`: links to them end in good order, and neither side dials the other
   *   again by itself; default false. In a node with overlays these decide, and no link ends
   */
  forget(addresses: readonly string[], options: { readonly hangUp?: boolean } = {}): void {
    checkAddresses(addresses);
    const { hangUp = false } = options;
    checkKind("hangUp", typeof hangUp === "boolean", "true or false");
    if (this.#isolate.attachment.isDetached) return;
    native(() => core.forgetAddresses(this.#node.node, [...addresses], hangUp));
  }

  /** Name of the cluster. */
  get cluster(): string {
    return this.#node.cluster;
  }

  /** Whether overlays decide which links there are. */
  get hasOverlays(): boolean {
    return this.#node.overlays !== undefined;
  }

  /**
   * Sends a message to a name, at most once, in order per sender, receiver and channel.
   *
   * @returns true: accepted. False: not accepted, nothing was taken; wait for {@link drained} and
   *   send again.
   * @throws FoundationError `noconnection` for a node that is no member, `message_too_large`,
   *   `unencodable`, `unknown_channel`, `node_left`
   */
  send(to: Address, message: unknown, options?: SendOptions): boolean {
    return this.#isolate.send(to, message, options);
  }

  /**
   * Copies bytes into shared memory that all isolates of this node can read; they stay there while
   * the array that is answered is reachable here, until `release`, and while others read them.
   * Bytes that lie there already are answered as they are. An isolate holds at most 64 MiB.
   *
   * @throws FoundationError `binaries_full`, `arena_exhausted`, `node_left`
   */
  countBytes(bytes: Uint8Array): Uint8Array {
    return this.#isolate.countBytes(bytes);
  }

  /**
   * Sends the array `[...lead, bytes]`, as {@link send} does. Another isolate of this node gets
   * bytes above `inlineBytesMax`, and those of {@link countBytes}, in shared memory: it reads them
   * where they lie, until it releases them. Only those that are not there yet are copied.
   */
  sendLed(
    to: Address,
    lead: readonly unknown[],
    bytes: Uint8Array,
    options?: SendOptions,
  ): boolean {
    return this.#isolate.sendLed(to, lead, bytes, options);
  }

  /** The first channel that this node declared with a priority; undefined where there is none. */
  channelOfPriority(priority: number): string | undefined {
    const { declaredChannels, channelPriorities } = this.#node;
    return declaredChannels[channelPriorities.indexOf(priority)];
  }

  /** The priority of a channel that this node declared. Unit: rank. */
  priorityOf(channel: string): number | undefined {
    const { declaredChannels, channelPriorities } = this.#node;
    return channelPriorities[declaredChannels.indexOf(channel)];
  }

  /**
   * Sends a request and resolves with what the handler over there returns.
   *
   * @throws FoundationError `timeout`, `aborted`, `noproc` where nobody handles the name,
   *   `noconnection`, `handler_failed` with the handler's message, and what {@link send} throws
   */
  async call(to: Address, message: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#isolate.call(to, message, { ...CALL_DEFAULTS, ...options });
  }

  /**
   * As {@link call}, for calls that this package may give up: `onOpen` gets what does that, at the
   * cost of a function where a signal for each call costs more than the call.
   */
  async request(
    to: Address,
    message: unknown,
    options: CallOptions,
    onOpen: (giveUp: () => void) => void,
  ): Promise<unknown> {
    return this.#isolate.call(to, message, { ...CALL_DEFAULTS, ...options }, onOpen);
  }

  /**
   * Resolves when a receiver that was refused may be sent to again.
   *
   * @throws FoundationError `noconnection` when the node is, or goes, down; `timeout`; `aborted`
   */
  async drained(options: DrainedOptions): Promise<void> {
    return this.#isolate.drained(options);
  }

  /**
   * Sends one message to a name at every other member. It is encoded once. In a node with overlays
   * it goes down the tree of one, and others forward it whatever their event loops do.
   *
   * @returns who took it and whose queue was full
   */
  broadcast(name: string, message: unknown, options?: TopicOptions): BroadcastReceipt {
    return this.#isolate.broadcast(name, message, options);
  }

  /**
   * Takes the broadcasts of a topic that come over overlays, in this isolate: any number of
   * isolates of a node may. Nothing else is sent to a topic.
   *
   * @returns a function that ends it
   * @throws FoundationError `name_taken` where this isolate handles or takes it already
   */
  subscribe<Message = unknown>(
    topic: string,
    handler: (message: Message, context: MessageContext) => unknown,
    options?: HandleOptions,
  ): Unsubscribe {
    return this.#isolate.subscribe(topic, handler as Handler, options);
  }

  /** Everything about the node's overlays. See {@link OverlayCommands}. */
  topologySnapshot(): TopologySnapshot {
    return this.#overlays.topologySnapshot();
  }

  /** Replaces an overlay on all members. See {@link OverlayCommands}. */
  async switchOverlay(
    ...[overlay, from, to, options]: Parameters<OverlayCommands["switchOverlay"]>
  ): Promise<SwitchOutcome> {
    return this.#overlays.switchOverlay(overlay, from, to, options);
  }

  /**
   * Handles the messages of a name in this isolate. In a node, one isolate has a name.
   *
   * @returns a function that gives the name up
   * @throws FoundationError `name_taken`, `name_refused`
   */
  handle<Message = unknown>(
    name: string,
    handler: (message: Message, context: MessageContext) => unknown,
    options?: HandleOptions,
  ): Unsubscribe {
    return this.#isolate.handle(name, handler as Handler, options);
  }

  /** Largest message that travels inside a ring; a larger one lies in a slab. Unit: bytes. */
  get inlineBytesMax(): number {
    return this.#isolate.attachment.writer.inlineBytesMax;
  }

  /** Largest message that may leave the isolate. Unit: bytes. */
  get messageBytesMax(): number {
    return this.#node.messageBytesMax;
  }

  /** Counters and gauges of the node, and of this isolate's part in it. */
  metrics(): NodeMetrics {
    const isolate = this.#isolate.metrics();
    const node = native(() => core.nodeMetrics(this.#node.node));
    const { handle: _handle, ...shared } = JSON.parse(node) as Record<string, unknown>;
    return { ...shared, boundary: core.boundaryCounters(), isolate } as unknown as NodeMetrics;
  }

  /** The isolates that are attached to this node, and which of them run for how long. */
  isolates(): readonly NodeIsolate[] {
    return listIsolates(this.#node.node);
  }

  /**
   * What an isolate does whose event loop is stalled: its JavaScript stack, one frame a line.
   *
   * @throws FoundationError `shim_missing`, `unknown_isolate`, `not_stalled`; `timeout` where it
   *   runs no JavaScript but waits in a native call
   */
  async stackOf(slot: number, options: InterruptOptions = {}): Promise<string> {
    return stackOf(this.#node.node, slot, options);
  }

  /**
   * The memory of an isolate, stalled or not.
   *
   * @throws FoundationError `shim_missing`, `unknown_isolate`, `timeout`
   */
  async heapOf(slot: number, options: InterruptOptions = {}): Promise<IsolateHeap> {
    return heapOf(this.#node.node, slot, options, this.#isolate.attachment);
  }

  /**
   * Ends a worker, be it in an endless loop, from any isolate of the process, as
   * `worker.terminate()` does for the one that started it. Its exit code is 0.
   *
   * @throws FoundationError `shim_missing`, `unknown_isolate`; `invalid_options` for the main
   *   thread
   */
  terminateIsolate(slot: number): void {
    terminateIsolate(this.#node.node, slot);
  }

  /**
   * Leaves the cluster: what is queued is sent within `drainMs`, members are told, links close, and
   * every isolate of the node lets go. Calling it again returns the same promise.
   *
   * @throws FoundationError `invalid_options`: the node goes on; `timeout`
   */
  async leave(options: LeaveOptions = {}): Promise<void> {
    this.#left ??= this.#leave(checkDrain(options));
    return this.#left;
  }

  async #leave(drainMs: number): Promise<void> {
    if (this.#isolate.attachment.isDetached) return;
    const late = (): string => "the kernel thread did not finish leaving";
    const wait = new Wait<void>({ timeoutMs: drainMs + 10_000 }, "timeout", late);
    this.#isolate.attachment.writer.flush();
    const stopLeft = this.#events.on("left", () => wait.resolve());
    const stopFailed = this.#events.on("failed", (error) => wait.reject(error));
    native(() => core.leaveNode(this.#node.node, Math.floor(drainMs)));
    await wait.promise.finally(() => {
      stopLeft();
      stopFailed();
    });
  }

  /**
   * Lets this isolate go while the node stays, e.g. at the end of a worker. Its names are given up.
   */
  detach(): void {
    this.#isolate.close();
  }

  /** Lets the process end although the node runs. */
  unref(): void {
    this.#isolate.attachment.unref();
  }

  /** Keeps the process alive again. */
  ref(): void {
    this.#isolate.attachment.ref();
  }
}
