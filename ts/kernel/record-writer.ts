import { RECORD } from "../../bindings/generated/layout.ts";
import { native } from "../base/errors.ts";
import type { Arena } from "./arena.ts";
import { copyIn } from "./copies.ts";
import { core } from "./native.ts";
import { BUNDLE_BYTES_MAX, OpenBundle, writeHead } from "./open-bundle.ts";
import { outgoing } from "./outgoing.ts";
import type { RingProducer } from "./ring.ts";
import { fillSlab, type SlabReference } from "./slabs.ts";
import type { WrittenValue } from "./value-writer.ts";
import type { Encoded } from "./values.ts";

/**
 * Largest payload that travels inside a ring of any size; larger ones lie in slabs. Unit: bytes.
 */
const INLINE_BYTES_MAX = 16 << 10;
/**
 * Bytes in slabs that one ring may announce at a time; above, writing is refused until the reader
 * took some.
 */
const SLAB_BYTES_MAX = 16 << 20;
/** Unpublished bytes at which a burst is shown to the reader without waiting for its end. */
const BURST_BYTES = 16 << 10;

/** Gives a slab to whoever reads the ring; false where the reader is gone. */
export type HandOver = (slab: SlabReference) => boolean;

/** {@link RecordWriter.write}: the ring is full, nothing was taken. */
export const FULL = -1;
/** {@link RecordWriter.write}: the reader is gone. */
export const GONE = -2;

/** Credit that a record costs on top of its payload, as links count it. Unit: bytes. */
const RECORD_COST_BYTES = 64;
/** Credit of one receiver by channel, where the writer itself has to keep to it. */
export interface Credit {
  /** Bytes that a record may have, its own cost included; infinite where nothing is unsettled. */
  left(channel: number): number;
  /** Books bytes as under way. */
  spend(channel: number, bytes: number): void;
}

/** The parts of a message's head. One object is reused for all messages of an isolate. */
export interface MessageHead {
  /** Kind, encoding and marks. */
  tag: number;
  peer: number;
  channel: number;
  /** Name number, or the serial of a process. */
  destination: number;
  slot: number;
  generation: number;
  correlation: number;
  replyBytesMax: number;
  /** Whether it may share a record: a plain message, not on a monotonic channel. */
  mayBundle: boolean;
  /** Names the receiver, so that more of the same can be added with {@link RecordWriter.append}. */
  route: object | undefined;
}

const NO_KEY = new Uint8Array(0);

/** Writes messages into one ring and wakes its reader once a burst. */
export class RecordWriter {
  readonly ring: RingProducer;
  readonly #arena: Arena;
  readonly #isolate: number;
  readonly #wake: () => void;
  readonly #handOver: HandOver | undefined;
  readonly #credit: Credit | undefined;
  /** Largest payload with its key that this ring takes. Unit: bytes. */
  readonly inlineBytesMax: number;
  readonly #bundle: OpenBundle;
  readonly #slabs: { position: number; bytes: number }[] = [];
  #slabBytes = 0;
  /** Somebody waits until the reader has taken slabs. */
  #areSlabsAwaited = false;
  #isFlushPlanned = false;
  #isClosed = false;
  readonly #flushPlanned = (): void => {
    this.#isFlushPlanned = false;
    this.flush();
  };

  constructor(
    arena: Arena,
    isolate: number,
    ring: RingProducer,
    wake: () => void,
    handOver?: HandOver,
    credit?: Credit,
  ) {
    this.#arena = arena;
    this.#isolate = isolate;
    this.ring = ring;
    this.#wake = wake;
    this.#handOver = handOver;
    this.#credit = credit;
    this.inlineBytesMax = Math.min(INLINE_BYTES_MAX, ring.bodyBytesMax - RECORD.HEAD_BYTES);
    // With its padding it never takes more than the half of a ring that `hasRoom` waits for.
    const bundleBytesMax = ring.bodyBytesMax - RECORD.HEAD_BYTES;
    this.#bundle = new OpenBundle(Math.min(BUNDLE_BYTES_MAX, bundleBytesMax));
  }

  /** Writes one message. Answers its credit's cost, {@link FULL} or {@link GONE}. Unit: bytes. */
  write(head: MessageHead, value: Encoded, key: Uint8Array = NO_KEY): number {
    if (this.#isClosed) return GONE;
    const { length } = value;
    if (key.length === 0 && this.#bundle.takes(head, length)) return this.#bundled(head, value);
    const payload = value.bytes;
    const cost = length + RECORD_COST_BYTES;
    this.#closeBundle();
    if (this.#creditLeft(head) < cost) return FULL;
    const isLed = (head.tag & RECORD.LED) !== 0;
    const written =
      isLed || length + key.length > this.inlineBytesMax
        ? this.#writeSlab(head, payload, key)
        : this.#writeInline(head, payload, key);
    if (written < 0) return written;
    this.#spend(head.tag, head.channel, cost);
    return cost;
  }

  /**
   * The short way for a burst of byte messages to one receiver: adds to the bundle that is open for
   * it. False where there is none or it is full; then {@link write} decides.
   */
  append(route: object, payload: Uint8Array): boolean {
    return this.#bundle.append(route, payload);
  }

  /** The short way for a burst of values; see {@link append}. */
  appendPacked(route: object, value: WrittenValue): boolean {
    return this.#bundle.appendPacked(route, value);
  }

  /** Adds a small message to the open bundle of its receiver, or opens one. */
  #bundled(head: MessageHead, value: Encoded): number {
    const bytes = RECORD.BUNDLE_LENGTH_BYTES + value.length;
    const bundle = this.#bundle;
    if (bundle.extend(head, value)) return bytes;
    this.#closeBundle();
    const credit = this.#creditLeft(head) - RECORD_COST_BYTES;
    if (credit < bytes) return FULL;
    // Room is there for the longest one, so that closing it cannot fail.
    if (!this.#hasRoomFor(bundle.body.length)) return FULL;
    bundle.open(head, value, credit);
    this.planFlush();
    return bytes + RECORD_COST_BYTES;
  }

  /** Brings the open bundle into the ring. */
  #closeBundle(): void {
    const bundle = this.#bundle;
    if (bundle.size === 0) return;
    const size = bundle.close();
    copyIn(this.#arena, bundle.body, size, this.ring.claim(size, bundle.tag));
    const bytes = size - RECORD.HEAD_BYTES;
    this.#spend(bundle.tag, bundle.channel, bytes + RECORD_COST_BYTES);
    if (this.ring.unpublishedBytes >= BURST_BYTES) this.#publish();
  }

  #creditLeft(head: MessageHead): number {
    const isCharged = this.#credit !== undefined && (head.tag & RECORD.CHARGED) !== 0;
    return isCharged ? this.#credit.left(head.channel) : Number.POSITIVE_INFINITY;
  }

  #spend(tag: number, channel: number, bytes: number): void {
    if ((tag & RECORD.CHARGED) !== 0) this.#credit?.spend(channel, bytes);
  }

  #hasRoomFor(bodyBytes: number): boolean {
    if (this.ring.hasRoomFor(bodyBytes)) return true;
    this.#publish(); // the reader may be asleep beside a full ring that it was not shown
    return this.ring.hasRoomFor(bodyBytes);
  }

  #writeInline(head: MessageHead, payload: Uint8Array, key: Uint8Array): number {
    const { length } = payload;
    const start = this.#claim(RECORD.HEAD_BYTES + length + key.length, head.tag);
    if (start < 0) return FULL;
    this.#writeHead(start, head, key.length);
    copyIn(this.#arena, payload, length, start + RECORD.HEAD_BYTES);
    outgoing.add(length);
    if (key.length > 0) this.#arena.u8.set(key, start + RECORD.HEAD_BYTES + length);
    this.planFlush();
    return start;
  }

  #writeSlab(head: MessageHead, payload: Uint8Array, key: Uint8Array): number {
    this.#forgetTakenSlabs();
    if (!this.#takesSlab(payload.length)) return FULL;
    if (this.ring.freeBytes() < 4 * (RECORD.SLAB_RECORD_BYTES + key.length)) return FULL;
    const slab = fillSlab(this.#arena, this.#isolate, payload);
    outgoing.add(payload.length);
    if (this.#handOver !== undefined && !this.#handOver(slab)) return GONE;
    return this.#announceSlab(head, slab, payload.length, key);
  }

  /**
   * Writes a message to another isolate whose bytes are too many to lie in the ring; `lead` is the
   * array that they are the last element of. Answers as {@link write} does.
   */
  writeLed(head: MessageHead, value: Encoded, lead: Uint8Array): number {
    head.tag |= RECORD.LED;
    return this.write(head, value, lead);
  }

  /**
   * Writes a message to another isolate whose bytes lie in a slab that this one holds and goes on
   * holding; `lead` is the array that they are the last element of. Answers as {@link write} does.
   *
   * @throws FoundationError `slab_released`
   */
  writeCounted(head: MessageHead, slab: SlabReference, length: number, lead: Uint8Array): number {
    if (this.#isClosed) return GONE;
    this.#closeBundle();
    const cost = length + RECORD_COST_BYTES;
    if (this.#creditLeft(head) < cost) return FULL;
    this.#forgetTakenSlabs();
    if (!this.#takesSlab(length)) return FULL;
    if (this.ring.freeBytes() < 4 * (RECORD.SLAB_RECORD_BYTES + lead.length)) return FULL;
    native(() => core.retainSlab(this.#isolate, slab.index, slab.generation));
    if (this.#handOver?.(slab) !== true) return GONE;
    head.tag |= RECORD.LED;
    this.#announceSlab(head, slab, length, lead);
    this.#spend(head.tag, head.channel, cost);
    return cost;
  }

  /** Writes the record of a slab, with what stands behind its handle. */
  #announceSlab(
    head: MessageHead,
    slab: SlabReference,
    length: number,
    behind: Uint8Array,
  ): number {
    const start = this.#claim(RECORD.SLAB_RECORD_BYTES + behind.length, head.tag | RECORD.SLAB);
    this.#writeHead(start, head, behind.length);
    const u32 = this.#arena.u32;
    u32[(start + RECORD.SLAB_INDEX) >>> 2] = slab.index;
    u32[(start + RECORD.SLAB_GENERATION) >>> 2] = slab.generation;
    u32[(start + RECORD.SLAB_OFFSET) >>> 2] = slab.start - this.#arena.skippedBytes;
    u32[(start + RECORD.SLAB_LENGTH) >>> 2] = length;
    if (behind.length > 0) this.#arena.u8.set(behind, start + RECORD.SLAB_RECORD_BYTES);
    this.#slabs.push({ position: this.ring.position, bytes: length });
    this.#slabBytes += length;
    this.#publish(); // large enough to be worth a wake-up of its own
    return start;
  }

  #takesSlab(bytes: number): boolean {
    return this.#slabBytes === 0 || this.#slabBytes + bytes <= SLAB_BYTES_MAX;
  }

  #forgetTakenSlabs(): void {
    for (let first = this.#slabs[0]; first !== undefined; first = this.#slabs[0]) {
      if (!this.ring.hasPassed(first.position)) return;
      this.#slabBytes -= first.bytes;
      this.#slabs.shift();
    }
  }

  #claim(bodyBytes: number, tag: number): number {
    if (this.#isClosed) return -1;
    this.#closeBundle();
    return this.#hasRoomFor(bodyBytes) ? this.ring.claim(bodyBytes, tag) : -1;
  }

  #writeHead(start: number, head: MessageHead, keyBytes: number): void {
    writeHead(this.#arena.u32, this.#arena.u16, start, head, keyBytes);
  }

  /** Writes the settlement of messages; false where the ring is full. */
  writeSettlement(
    peer: number,
    channel: number,
    account: number,
    bytes: number,
    messages: number,
  ): boolean {
    const start = this.#claim(RECORD.SETTLE_RECORD_BYTES, RECORD.SETTLE);
    if (start < 0) return false;
    const { u32, u16 } = this.#arena;
    u32[start >>> 2] = peer;
    u16[(start + RECORD.CHANNEL) >>> 1] = channel;
    u16[(start + RECORD.ACCOUNT) >>> 1] = account;
    u32[(start + RECORD.SETTLE_BYTES) >>> 2] = bytes;
    u32[(start + RECORD.SETTLE_MESSAGES) >>> 2] = messages;
    this.planFlush();
    return true;
  }

  /** Shows what was written at the end of the present burst, or now if the burst is long. */
  planFlush(): void {
    if (this.ring.unpublishedBytes >= BURST_BYTES) {
      this.#publish();
    } else if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      queueMicrotask(this.#flushPlanned);
    }
  }

  /** Shows the reader what was written, an open bundle included, and wakes it if it sleeps. */
  flush(): void {
    if (this.#isClosed) return;
    this.#closeBundle();
    this.#publish();
  }

  #publish(): void {
    if (this.ring.publish()) this.#wake();
  }

  /** The ring is about to be given back: nothing is written to it any more. */
  close(): void {
    this.#bundle.close();
    this.#isClosed = true;
  }

  /**
   * Whether a burst fits: half of the ring is free, and a payload of `payloadBytes` may be written.
   * Else a wake-up is asked for.
   */
  hasRoom(payloadBytes: number): boolean {
    if (this.#isClosed) return true; // writing says what is wrong
    this.flush();
    this.#forgetTakenSlabs();
    const all = this.ring.capacityBytes;
    if (payloadBytes > this.inlineBytesMax && !this.#takesSlab(payloadBytes)) {
      this.#areSlabsAwaited = true;
      // Any progress of the reader is worth a wake-up: ask for the whole ring.
      return !this.ring.awaitSpace(all);
    }
    if (this.#slabBytes === 0) this.#areSlabsAwaited = false;
    const isFree = !this.ring.awaitSpace(all >>> 1);
    // The answer has taken back what somebody else has asked for.
    if (isFree && this.#areSlabsAwaited) this.ring.awaitSpace(all);
    return isFree;
  }
}
