import { RECORD } from "../../bindings/generated/layout.ts";
import type { Arena } from "./arena.ts";
import type { RingProducer } from "./ring.ts";
import { fillSlab, type SlabReference } from "./slabs.ts";
import { ENCODING } from "./values.ts";

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

/** Largest message that shares a record with others of its burst. Unit: bytes. */
const BUNDLED_BYTES_MAX = 1 << 10;
/**
 * Largest bundle: small enough that urgent messages and chunks of others get between. Unit: bytes.
 */
const BUNDLE_BYTES_MAX = 8 << 10;
/** Credit that a record costs on top of its payload, as links count it. Unit: bytes. */
const RECORD_COST_BYTES = 64;
/** Encodings whose messages can be bundled, and what the bundle's encoding is then. */
const BUNDLE_OF = new Map<number, number>([
  [ENCODING.bytes, ENCODING.bytesBundle],
  [ENCODING.messagePack, ENCODING.messagePackBundle],
]);
const ENCODING_MASK = 7 << RECORD.ENCODING_SHIFT;

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
  /** Largest payload with its key that this ring takes. Unit: bytes. */
  readonly #inlineBytesMax: number;
  /** Largest bundle that this ring takes. Unit: bytes. */
  readonly #bundleBytesMax: number;
  readonly #slabs: { position: number; bytes: number }[] = [];
  #slabBytes = 0;
  // The bundle written last; messages are added while it is the ring's last record and not
  // published.
  #bundleRoute: object | undefined;
  #bundleTag = 0;
  #bundlePeer = 0;
  #bundleChannel = 0;
  #bundleDestination = 0;
  #bundleStart = 0;
  #bundleSize = 0;
  #bundleCount = 0;
  #bundleEnd = -1;
  #isFlushPlanned = false;
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
  ) {
    this.#arena = arena;
    this.#isolate = isolate;
    this.ring = ring;
    this.#wake = wake;
    this.#handOver = handOver;
    this.#bundleBytesMax = Math.min(BUNDLE_BYTES_MAX, ring.bodyBytesMax);
    this.#inlineBytesMax = Math.min(INLINE_BYTES_MAX, ring.bodyBytesMax - RECORD.HEAD_BYTES);
  }

  /** Writes one message. Answers its credit's cost, {@link FULL} or {@link GONE}. Unit: bytes. */
  write(head: MessageHead, payload: Uint8Array, key: Uint8Array = NO_KEY): number {
    const length = payload.length;
    if (length + key.length > this.#inlineBytesMax) return this.#writeSlab(head, payload, key);
    if (head.mayBundle && length <= BUNDLED_BYTES_MAX && key.length === 0) {
      const encoding = BUNDLE_OF.get((head.tag & ENCODING_MASK) >>> RECORD.ENCODING_SHIFT);
      if (encoding !== undefined) return this.#writeBundled(head, encoding, payload);
    }
    const start = this.#claim(RECORD.HEAD_BYTES + length + key.length, head.tag);
    if (start < 0) return FULL;
    this.#writeHead(start, head, key.length);
    if (length > 0) this.#arena.u8.set(payload, start + RECORD.HEAD_BYTES);
    if (key.length > 0) this.#arena.u8.set(key, start + RECORD.HEAD_BYTES + length);
    this.planFlush();
    return length + RECORD_COST_BYTES;
  }

  /**
   * The short way for a burst of byte messages to one receiver: adds to the bundle that is open for
   * it. False where there is none or it is full; then {@link write} decides.
   */
  append(route: object, payload: Uint8Array): boolean {
    const bytes = RECORD.BUNDLE_LENGTH_BYTES + payload.length;
    if (
      route !== this.#bundleRoute ||
      this.#bundleSize + bytes > this.#bundleBytesMax ||
      payload.length > BUNDLED_BYTES_MAX ||
      this.ring.position !== this.#bundleEnd ||
      this.ring.unpublishedBytes === 0
    ) {
      return false;
    }
    return this.#extendBundle(bytes, payload);
  }

  #extendBundle(bytes: number, payload: Uint8Array): boolean {
    const at = this.ring.extend(this.#bundleStart, this.#bundleSize, bytes);
    if (at < 0) return false;
    this.#bundleSize += bytes;
    this.#bundleCount += 1;
    this.#bundleEnd = this.ring.position;
    this.#arena.u32[(this.#bundleStart + RECORD.CORRELATION) >>> 2] = this.#bundleCount;
    this.#putBundled(at, payload);
    return true;
  }

  /** Adds a small message to the open bundle of its receiver, or opens one. */
  #writeBundled(head: MessageHead, encoding: number, payload: Uint8Array): number {
    const bytes = RECORD.BUNDLE_LENGTH_BYTES + payload.length;
    const tag = (head.tag & ~ENCODING_MASK) | (encoding << RECORD.ENCODING_SHIFT);
    if (
      this.ring.position === this.#bundleEnd &&
      this.ring.unpublishedBytes > 0 &&
      head.peer === this.#bundlePeer &&
      head.destination === this.#bundleDestination &&
      head.channel === this.#bundleChannel &&
      tag === this.#bundleTag &&
      this.#bundleSize + bytes <= this.#bundleBytesMax &&
      this.#extendBundle(bytes, payload)
    ) {
      return bytes;
    }
    const size = RECORD.HEAD_BYTES + bytes;
    const start = this.#claim(size, tag);
    if (start < 0) return FULL;
    this.#bundleRoute = encoding === ENCODING.bytesBundle ? head.route : undefined;
    this.#bundleTag = tag;
    this.#bundlePeer = head.peer;
    this.#bundleChannel = head.channel;
    this.#bundleDestination = head.destination;
    this.#bundleStart = start;
    this.#bundleSize = size;
    this.#bundleCount = 1;
    this.#bundleEnd = this.ring.position;
    this.#writeHead(start, head, 0);
    this.#arena.u32[(start + RECORD.CORRELATION) >>> 2] = 1;
    this.#putBundled(start + RECORD.HEAD_BYTES, payload);
    return bytes + RECORD_COST_BYTES;
  }

  #putBundled(at: number, payload: Uint8Array): void {
    const u8 = this.#arena.u8;
    u8[at] = payload.length & 0xff;
    u8[at + 1] = payload.length >>> 8;
    if (payload.length > 0) u8.set(payload, at + RECORD.BUNDLE_LENGTH_BYTES);
    this.planFlush();
  }

  #writeSlab(head: MessageHead, payload: Uint8Array, key: Uint8Array): number {
    this.#forgetTakenSlabs();
    if (this.#slabBytes > 0 && this.#slabBytes + payload.length > SLAB_BYTES_MAX) return FULL;
    if (this.ring.freeBytes() < 4 * (RECORD.SLAB_RECORD_BYTES + key.length)) return FULL;
    const slab = fillSlab(this.#arena, this.#isolate, payload);
    if (this.#handOver !== undefined && !this.#handOver(slab)) return GONE;
    const start = this.#claim(RECORD.SLAB_RECORD_BYTES + key.length, head.tag | RECORD.SLAB);
    this.#writeHead(start, head, key.length);
    const u32 = this.#arena.u32;
    u32[(start + RECORD.SLAB_INDEX) >>> 2] = slab.index;
    u32[(start + RECORD.SLAB_GENERATION) >>> 2] = slab.generation;
    u32[(start + RECORD.SLAB_OFFSET) >>> 2] = slab.start - this.#arena.skippedBytes;
    u32[(start + RECORD.SLAB_LENGTH) >>> 2] = payload.length;
    if (key.length > 0) this.#arena.u8.set(key, start + RECORD.SLAB_RECORD_BYTES);
    this.#slabs.push({ position: this.ring.position, bytes: payload.length });
    this.#slabBytes += payload.length;
    this.flush(); // large enough to be worth a wake-up of its own
    return payload.length + RECORD_COST_BYTES;
  }

  #forgetTakenSlabs(): void {
    for (let first = this.#slabs[0]; first !== undefined; first = this.#slabs[0]) {
      if (!this.ring.hasPassed(first.position)) return;
      this.#slabBytes -= first.bytes;
      this.#slabs.shift();
    }
  }

  #claim(bodyBytes: number, tag: number): number {
    const start = this.ring.claim(bodyBytes, tag);
    if (start >= 0) return start;
    this.flush(); // the reader may be asleep beside a full ring that it was not shown
    return this.ring.claim(bodyBytes, tag);
  }

  #writeHead(start: number, head: MessageHead, keyBytes: number): void {
    const { u32, u16 } = this.#arena;
    const word = start >>> 2;
    u32[word] = head.peer;
    u16[(start + RECORD.CHANNEL) >>> 1] = head.channel;
    u16[(start + RECORD.KEY_BYTES) >>> 1] = keyBytes;
    u32[word + RECORD.DESTINATION / 4] = head.destination;
    u16[(start + RECORD.SLOT) >>> 1] = head.slot;
    u16[(start + RECORD.GENERATION) >>> 1] = head.generation;
    u32[word + RECORD.CORRELATION / 4] = head.correlation;
    u32[word + RECORD.REPLY_BYTES_MAX / 4] = head.replyBytesMax;
    u32[word + RECORD.SERIAL / 4] = 0;
    u32[word + RECORD.SERIAL / 4 + 1] = 0;
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
      this.flush();
    } else if (!this.#isFlushPlanned) {
      this.#isFlushPlanned = true;
      queueMicrotask(this.#flushPlanned);
    }
  }

  /** Shows the reader what was written and wakes it if it sleeps. */
  flush(): void {
    if (this.ring.publish()) this.#wake();
  }

  /**
   * Whether a burst fits: half of the ring is free and slabs may be written. Else a wake-up is
   * asked for.
   */
  hasRoom(): boolean {
    this.flush();
    this.#forgetTakenSlabs();
    const want = this.ring.capacityBytes >>> 1;
    if (this.#slabBytes >= SLAB_BYTES_MAX) {
      // Any progress of the reader is worth a wake-up: ask for the whole ring.
      return !this.ring.awaitSpace(this.ring.capacityBytes);
    }
    return !this.ring.awaitSpace(want);
  }
}
