import { RING } from "../../bindings/generated/layout.ts";
import type { Arena } from "./arena.ts";

const HEADER_BYTES = RING.HEADER_BYTES;
const PADDING = RING.PADDING;

/** Largest body that a ring of this capacity takes. Unit: bytes. */
export function bodyBytesMax(capacityBytes: number): number {
  return Math.floor(capacityBytes / RING.BODY_DIVISOR);
}

/** Size of a ring's block in memory. Unit: bytes. */
export function blockBytes(capacityBytes: number): number {
  return RING.DATA + capacityBytes;
}

function recordBytes(bodyBytes: number): number {
  return (HEADER_BYTES + bodyBytes + 7) & ~7;
}

/**
 * The writing half of a ring (native/ring/src/producer.rs is the other language's). One a ring.
 * The order of the exchanges on ARMED and WAITING is the proof that no wake-up is lost.
 */
export class RingProducer {
  readonly capacityBytes: number;
  readonly bodyBytesMax: number;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #mask: number;
  readonly #data: number;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #armedWord: number;
  readonly #waitingWord: number;
  #tail: number;
  #head: number;
  #published: number;

  /** `offset` is where the block begins in the arena's buffer. Unit: bytes. */
  constructor(arena: Arena, offset: number, capacityBytes: number) {
    this.capacityBytes = capacityBytes;
    this.bodyBytesMax = bodyBytesMax(capacityBytes);
    this.#i32 = arena.i32;
    this.#u32 = arena.u32;
    this.#mask = capacityBytes - 1;
    this.#data = offset + RING.DATA;
    this.#tailWord = (offset + RING.TAIL) >>> 2;
    this.#headWord = (offset + RING.HEAD) >>> 2;
    this.#armedWord = (offset + RING.ARMED) >>> 2;
    this.#waitingWord = (offset + RING.WAITING) >>> 2;
    this.#head = Atomics.load(this.#i32, this.#headWord) >>> 0;
    this.#tail = Atomics.load(this.#i32, this.#tailWord) >>> 0;
    this.#published = this.#tail;
  }

  /**
   * Takes room for a body and writes its header. Answers where the body begins in the buffer, or -1
   * where the ring is full. The caller has checked `bodyBytes` against {@link bodyBytesMax}.
   */
  claim(bodyBytes: number, tag: number): number {
    const record = recordBytes(bodyBytes);
    let at = this.#tail & this.#mask;
    const toEnd = this.capacityBytes - at;
    const padding = toEnd < record ? toEnd : 0;
    const needed = padding + record;
    if (!this.#hasFree(needed)) return -1;
    const u32 = this.#u32;
    if (padding > 0) {
      const word = (this.#data + at) >>> 2;
      u32[word] = padding - HEADER_BYTES;
      u32[word + 1] = PADDING;
      at = 0;
    }
    const start = this.#data + at;
    const word = start >>> 2;
    u32[word] = bodyBytes;
    u32[word + 1] = tag;
    this.#tail = (this.#tail + needed) >>> 0;
    return start + HEADER_BYTES;
  }

  /** Whether {@link claim} would take a body of this size now. */
  hasRoomFor(bodyBytes: number): boolean {
    const record = recordBytes(bodyBytes);
    const toEnd = this.capacityBytes - (this.#tail & this.#mask);
    return this.#hasFree(toEnd < record ? toEnd + record : record);
  }

  /** Whether so many bytes are free; looks the reader's position up only where it has to. */
  #hasFree(bytes: number): boolean {
    if (this.capacityBytes - ((this.#tail - this.#head) >>> 0) >= bytes) return true;
    return this.freeBytes() >= bytes;
  }

  /** Bytes written and not shown to the reader yet. */
  get unpublishedBytes(): number {
    return (this.#tail - this.#published) >>> 0;
  }

  /** Shows the reader what was written. True: it sleeps, ring its doorbell. */
  publish(): boolean {
    if (this.#tail === this.#published) return false;
    this.#published = this.#tail;
    Atomics.store(this.#i32, this.#tailWord, this.#tail | 0);
    return Atomics.exchange(this.#i32, this.#armedWord, 0) !== 0;
  }

  /** Position behind the last record written: compare with {@link hasPassed}. */
  get position(): number {
    return this.#tail;
  }

  /** Whether the reader has given back everything before a position. */
  hasPassed(position: number): boolean {
    this.#head = Atomics.load(this.#i32, this.#headWord) >>> 0;
    return ((this.#head - position) | 0) >= 0;
  }

  /** Bytes that are free now. */
  freeBytes(): number {
    this.#head = Atomics.load(this.#i32, this.#headWord) >>> 0;
    return this.capacityBytes - ((this.#tail - this.#head) >>> 0);
  }

  /**
   * Asks to be woken when the reader gives room back. False: `bytes` are free already, nothing was
   * asked. Publish first. A wake-up says that there is more room, not that there is enough.
   */
  awaitSpace(bytes: number): boolean {
    Atomics.exchange(this.#i32, this.#waitingWord, 1);
    if (this.freeBytes() < bytes) return true;
    Atomics.exchange(this.#i32, this.#waitingWord, 0);
    return false;
  }
}

/** The reading half of a ring (native/ring/src/consumer.rs is the other language's). One a ring. */
export class RingConsumer {
  /** Tag of the present record. */
  tag = 0;
  /** Where its body begins in the buffer. Unit: bytes. */
  start = 0;
  /** Length of its body. Unit: bytes. */
  size = 0;
  /** The other side broke the protocol; nothing is read any more. */
  isCorrupt = false;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #capacity: number;
  readonly #mask: number;
  readonly #data: number;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #armedWord: number;
  readonly #waitingWord: number;
  #head: number;
  #released: number;
  #tail: number;

  /** `offset` is where the block begins in the arena's buffer. Unit: bytes. */
  constructor(arena: Arena, offset: number, capacityBytes: number) {
    this.#i32 = arena.i32;
    this.#u32 = arena.u32;
    this.#capacity = capacityBytes;
    this.#mask = capacityBytes - 1;
    this.#data = offset + RING.DATA;
    this.#tailWord = (offset + RING.TAIL) >>> 2;
    this.#headWord = (offset + RING.HEAD) >>> 2;
    this.#armedWord = (offset + RING.ARMED) >>> 2;
    this.#waitingWord = (offset + RING.WAITING) >>> 2;
    this.#head = Atomics.load(this.#i32, this.#headWord) >>> 0;
    this.#tail = Atomics.load(this.#i32, this.#tailWord) >>> 0;
    this.#released = this.#head;
  }

  /**
   * Moves to the next record and sets {@link tag}, {@link start} and {@link size}; false when all
   * are read.
   */
  next(): boolean {
    for (;;) {
      if (this.#head === this.#tail) {
        if (this.isCorrupt) return false;
        this.#tail = Atomics.load(this.#i32, this.#tailWord) >>> 0;
        if (this.#head === this.#tail) return false;
      }
      const at = this.#head & this.#mask;
      const start = this.#data + at;
      const word = start >>> 2;
      // Read once: the check below is of this very copy.
      const size = this.#u32[word] as number;
      const tag = this.#u32[word + 1] as number;
      const record = recordBytes(size);
      const published = (this.#tail - this.#head) >>> 0;
      if (size > this.#capacity || record > published || record > this.#capacity - at) {
        this.isCorrupt = true;
        this.#tail = this.#head;
        return false;
      }
      this.#head = (this.#head + record) >>> 0;
      if (tag === PADDING) continue;
      this.tag = tag;
      this.start = start + HEADER_BYTES;
      this.size = size;
      return true;
    }
  }

  /**
   * Whether a record seems to be there. A plain load: it may miss one that has just come, and
   * {@link next} looks again with the proper ordering.
   */
  get isPending(): boolean {
    return this.#head !== this.#tail || (this.#u32[this.#tailWord] as number) !== this.#head;
  }

  /**
   * How far published records lie in one piece behind the present one, at most to the data area's
   * end.
   */
  contiguousEnd(): number {
    const read = (this.#head - 1) & this.#mask;
    const behind = (this.#tail - this.#head) >>> 0;
    return Math.min(this.#data + read + 1 + behind, this.#data + this.#capacity);
  }

  /** Bytes read and not given back yet. */
  get unreleasedBytes(): number {
    return (this.#head - this.#released) >>> 0;
  }

  /** Gives the room of all read records back. True: the writer waits for it, wake it. */
  release(): boolean {
    if (this.#head === this.#released) return false;
    this.#released = this.#head;
    Atomics.store(this.#i32, this.#headWord, this.#head | 0);
    return Atomics.exchange(this.#i32, this.#waitingWord, 0) !== 0;
  }

  /** Announces sleep. True: sleep until the doorbell; false: records came meanwhile. */
  arm(): boolean {
    Atomics.exchange(this.#i32, this.#armedWord, 1);
    if (this.isCorrupt || Atomics.load(this.#i32, this.#tailWord) >>> 0 === this.#head) return true;
    Atomics.exchange(this.#i32, this.#armedWord, 0);
    return false;
  }
}
