import { RECORD } from "../../bindings/generated/layout.ts";
import { FoundationError } from "../base/errors.ts";
import type { Arena } from "./arena.ts";
import type { Attachment } from "./attachment.ts";
import type { Burst } from "./burst.ts";
import type { Owner } from "./directory.ts";
import { toWireError } from "./handlers.ts";
import type { Peer } from "./members.ts";
import { type Neighbour, openNeighbour } from "./neighbours.ts";
import { LOCAL_PEER, type RequestPlace } from "./origin.ts";
import { FULL, GONE, type MessageHead } from "./record-writer.ts";
import type { SharedNode } from "./shared-runtime.ts";
import { slabOf } from "./slabs.ts";
import { ENCODING, Encoded, encodeValue } from "./values.ts";

/** A call's parts of a request. */
export interface CallPlace {
  readonly correlation: number;
  readonly replyBytesMax: number;
}

/** Writes messages to peers and to other isolates of the node. */
export class Transmitter {
  readonly #arena: Arena;
  readonly #attachment: Attachment;
  readonly #node: SharedNode;
  readonly #writabilityWord: number;
  readonly #windowBytes: number;
  readonly #neighbours = new Map<number, Neighbour>();
  readonly #isDeclared: (channel: number) => boolean;
  readonly #head: MessageHead = {
    tag: 0,
    peer: 0,
    channel: 0,
    destination: 0,
    slot: 0,
    generation: 0,
    correlation: 0,
    replyBytesMax: 0,
    mayBundle: false,
    route: undefined,
  };

  constructor(
    arena: Arena,
    attachment: Attachment,
    node: SharedNode,
    isDeclared: (channel: number) => boolean,
  ) {
    this.#arena = arena;
    this.#attachment = attachment;
    this.#node = node;
    this.#windowBytes = node.windowBytes;
    this.#isDeclared = isDeclared;
    this.#writabilityWord = arena.at(node.writabilityOffset) >>> 2;
  }

  /**
   * Whether a channel to a peer is below its high-water mark. A hint: a plain load is all it needs.
   */
  isWritable(peer: number, channel: number): boolean {
    const row = (peer & 0xffff) * RECORD.WRITABILITY_CHANNELS;
    return this.#arena.i32[this.#writabilityWord + row + channel] === 0;
  }

  /** Sends to a name of a peer. False: nothing was taken. */
  send(
    peer: Peer,
    burst: Burst,
    value: Encoded,
    call: CallPlace | undefined,
    key?: Uint8Array,
  ): boolean {
    if (!this.isWritable(peer.handle, burst.channelId)) return false;
    const head = this.#fill(peer.handle, burst.channelId, burst.nameId, value, call);
    head.route = burst;
    return this.#attachment.writer.write(head, value, key) > 0;
  }

  /** Sends to a name of one of many peers. False: nothing was taken. */
  broadcast(
    peer: Peer,
    channel: number,
    name: number,
    value: Encoded,
    key: Uint8Array | undefined,
  ): boolean {
    if (!this.isWritable(peer.handle, channel)) return false;
    const head = this.#fill(peer.handle, channel, name, value, undefined);
    return this.#attachment.writer.write(head, value, key) > 0;
  }

  /** Broadcasts over an overlay. False: nothing was taken. */
  broadcastOver(overlay: number, channel: number, name: number, value: Encoded): boolean {
    const peer = (RECORD.BROADCAST_PEER | (overlay << 16)) >>> 0;
    const head = this.#fill(peer, channel, name, value, undefined);
    head.mayBundle = false;
    return this.#attachment.writer.write(head, value) > 0;
  }

  /** On monotonic channels each message stands for itself: a newer one may replace it. */
  #isMonotonic(channel: number): boolean {
    return this.#node.monotonicChannels[channel] === true;
  }

  #fill(
    peer: number,
    channel: number,
    name: number,
    value: Encoded,
    call: CallPlace | undefined,
  ): MessageHead {
    this.checkSize(value);
    const head = this.#head;
    head.tag = RECORD.MESSAGE | (value.encoding << RECORD.ENCODING_SHIFT);
    if (call !== undefined) head.tag |= RECORD.REQUEST;
    head.peer = peer;
    head.channel = channel;
    head.destination = name;
    head.slot = peer === LOCAL_PEER ? this.#attachment.slot : 0;
    head.generation = peer === LOCAL_PEER ? this.#attachment.generation : 0;
    head.correlation = call?.correlation ?? 0;
    head.replyBytesMax = call?.replyBytesMax ?? 0;
    head.mayBundle = call === undefined && !this.#isMonotonic(channel);
    head.route = undefined;
    return head;
  }

  /** Refuses a message that no receiver takes. */
  checkSize(value: Encoded): void {
    const bytes = value.length;
    if (bytes > this.#node.messageBytesMax) {
      throw new FoundationError(
        "message_too_large",
        `a message of ${bytes} bytes exceeds messageBytesMax ${this.#node.messageBytesMax}`,
        { context: { bytes } },
      );
    }
  }

  /**
   * Sends to a name of another isolate of the node. False: nothing was taken; `undefined`: that
   * isolate is gone.
   */
  sendToNeighbour(burst: Burst, value: Encoded, call: CallPlace | undefined): boolean | undefined {
    const head = this.#fill(LOCAL_PEER, burst.channelId, burst.nameId, value, call);
    head.tag |= RECORD.CHARGED;
    head.route = burst;
    const writer = this.neighbour(burst.target as Owner)?.writer;
    if (writer === undefined) return undefined;
    const written = writer.write(head, value);
    return written === GONE ? undefined : written > 0;
  }

  /**
   * Sends bytes in a slab to a name of another isolate, as the last element of the array `lead`;
   * they are copied into one unless they lie there. False: nothing was taken; `undefined`: that
   * isolate is gone.
   */
  sendLed(
    place: { readonly owner: Owner; readonly channelId: number; readonly nameId: number },
    bytes: Uint8Array,
    lead: readonly unknown[],
  ): boolean | undefined {
    const slab = slabOf(bytes);
    const { owner, channelId, nameId } = place;
    const value = new Encoded(bytes, ENCODING.bytes);
    const head = this.#fill(LOCAL_PEER, channelId, nameId, value, undefined);
    head.tag |= RECORD.CHARGED;
    const writer = this.neighbour(owner)?.writer;
    const { bytes: ahead } = encodeValue(lead);
    const written =
      slab === undefined
        ? writer?.writeLed(head, value, ahead)
        : writer?.writeCounted(head, slab, bytes.length, ahead);
    return written === undefined || written === GONE ? undefined : written > 0;
  }

  /** The ring to an isolate, made on first use; `undefined` where that isolate is gone. */
  neighbour(place: Owner): Neighbour | undefined {
    const known = this.#neighbours.get(place.slot);
    if (known !== undefined && known.generation === place.generation) return known;
    const { isolate, ringBytes } = this.#attachment;
    const made = openNeighbour(this.#arena, isolate, place, ringBytes, this.#windowBytes);
    if (made !== undefined) this.#neighbours.set(place.slot, made);
    return made;
  }

  /** Whether every ring that was made to other isolates takes so many bytes on a channel. */
  haveNeighboursRoom(channel: number, payloadBytes: number): boolean {
    for (const neighbour of this.#neighbours.values())
      if (!neighbour.hasRoom(channel, payloadBytes)) return false;
    return true;
  }

  /** Forgets the ring to an isolate that is gone: which one, where it is one of these. */
  forgetNeighbour(offset: number): Owner | undefined {
    for (const [slot, neighbour] of this.#neighbours) {
      if (neighbour.offset !== offset) continue;
      this.#neighbours.delete(slot);
      neighbour.writer.close();
      return { slot, generation: neighbour.generation };
    }
    return undefined;
  }

  /** Shows the other isolates what was written, then lets go of the rings for good. */
  close(): void {
    for (const { writer } of this.#neighbours.values()) {
      writer.flush();
      writer.close();
    }
    this.#neighbours.clear();
  }

  /** Answers a request; room is waited for, so an answer is never refused. */
  reply(request: RequestPlace, value: unknown): void {
    let encoded: Encoded;
    try {
      encoded = encodeValue(value);
      this.checkSize(encoded);
    } catch (thrown) {
      return this.replyError(request, thrown);
    }
    this.#answer(request, encoded.bytes, encoded.encoding);
  }

  /** Answers a request with an error. */
  replyError(request: RequestPlace, thrown: unknown): void {
    const { bytes } = encodeValue(toWireError(thrown));
    this.#answer(request, bytes, ENCODING.error);
  }

  #answer(request: RequestPlace, bytes: Uint8Array, encoding: number): void {
    const head: MessageHead = {
      tag:
        RECORD.MESSAGE |
        RECORD.REPLY |
        RECORD.PROCESS |
        (encoding << RECORD.ENCODING_SHIFT) |
        (bytes.length <= request.replyBytesMax ? RECORD.RESERVED : 0),
      peer: request.origin.peer,
      channel: this.#isDeclared(request.channel) ? request.channel : 0,
      destination: 0,
      slot: request.slot,
      generation: request.generation,
      correlation: request.correlation,
      replyBytesMax: 0,
      mayBundle: false,
      route: undefined,
    };
    const isLocal = request.origin.peer === LOCAL_PEER;
    const value = new Encoded(bytes, encoding);
    let isSettled = false;
    this.#attachment.eventually(() => {
      const writer = isLocal ? this.#neighbourWriter(request) : this.#attachment.writer;
      // Without a writer the caller is gone, and its call with it.
      isSettled =
        writer === undefined ||
        writer.write(head, value) !== FULL ||
        (writer.hasRoom(value.length) && writer.write(head, value) !== FULL);
      return isSettled;
    });
    // The bytes may lie in the encoder's memory: what waits needs its own.
    if (!isSettled) value.bytes = bytes.slice();
  }

  #neighbourWriter(request: RequestPlace): Neighbour["writer"] | undefined {
    try {
      return this.neighbour(request)?.writer;
    } catch {
      return undefined;
    }
  }
}
