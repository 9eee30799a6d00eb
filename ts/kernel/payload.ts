import { RECORD } from "../../bindings/generated/layout.ts";
import { FoundationError } from "../base/errors.ts";
import type { Arena } from "./arena.ts";
import { copyOut } from "./copies.ts";
import type { Registration } from "./handlers.ts";
import { core } from "./native.ts";
import { outgoing } from "./outgoing.ts";
import type { RingConsumer } from "./ring.ts";
import { fillSlab, type SlabReference, slabOf, viewSlab } from "./slabs.ts";
import { decodePacked, ENCODING, FlatTable } from "./values.ts";

type BytesMode = Registration["bytes"];

/** Payloads up to here are copied out of the ring several at a time. Unit: bytes. */
const SMALL_BYTES_MAX = 2 << 10;
/**
 * What one such copy takes: small enough that a kept message pins little (Buffer's pool has the
 * same size).
 */
const WINDOW_BYTES = 8 << 10;
/**
 * Slab bytes an isolate may hold as views; above, payloads are copied so that the arena never runs
 * dry.
 */
const HELD_BYTES_MAX = 64 << 20;

/** Turns a record's payload into the value a handler gets, and counts what had to be copied. */
export class PayloadReader {
  copies = 0;
  copiedBytes = 0;
  readonly #arena: Arena;
  readonly #isolate: number;
  /** Views are detached after use, so that keeping one shows at once. */
  readonly isDevelopment = process.env["NODE_ENV"] === "development";
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #windowEnd = 0;
  #heldBytes = 0;

  constructor(arena: Arena, isolate: number) {
    this.#arena = arena;
    this.#isolate = isolate;
  }

  /** The rings were released: what was copied ahead no longer mirrors them. */
  invalidate(): void {
    this.#windowEnd = 0;
  }

  /**
   * Reads the payload of the present record. `after` gets what has to run when a view's handler
   * returned.
   */
  read(ring: RingConsumer, mode: BytesMode, after: { done: (() => void) | undefined }): unknown {
    const encoding = (ring.tag >>> RECORD.ENCODING_SHIFT) & 7;
    const isBytes = encoding === ENCODING.bytes || encoding === ENCODING.flatBuffers;
    if (encoding === ENCODING.nothing) return undefined;
    if ((ring.tag & RECORD.SLAB) !== 0) {
      if ((ring.tag & RECORD.LED) !== 0) return this.#readLed(ring, after);
      return wrap(this.#readSlab(ring, isBytes ? mode : "copy", after), encoding);
    }
    const start = ring.start + RECORD.HEAD_BYTES;
    const length = ring.size - RECORD.HEAD_BYTES;
    if (isBytes && mode === "view") return wrap(this.#view(start, length, after), encoding);
    if (length > SMALL_BYTES_MAX) return wrap(this.copy(start, length), encoding);
    this.#mirror(ring, start, length);
    const at = start - this.#windowStart;
    if (isBytes) {
      const bytes = new Uint8Array(this.#window.buffer, this.#window.byteOffset + at, length);
      return wrap(bytes, encoding);
    }
    checkEncoding(encoding);
    return decodePacked(this.#window, at, at + length);
  }

  /**
   * Makes sure that a small payload lies in the private window; one copy serves the records behind
   * it too.
   */
  #mirror(ring: RingConsumer, start: number, length: number): void {
    if (start >= this.#windowStart && start + length <= this.#windowEnd) return;
    const end = Math.max(start + length, Math.min(start + WINDOW_BYTES, ring.contiguousEnd()));
    // A Buffer, since the decoder reads strings of Buffers natively; of an ArrayBuffer of its own.
    this.#window = Buffer.allocUnsafeSlow(end - start);
    copyOut(this.#arena, this.#window, start);
    this.#windowStart = start;
    this.#windowEnd = end;
    this.copies++;
    this.copiedBytes += end - start;
  }

  /** The whole arena, for views in place. */
  get arenaBytes(): Uint8Array {
    return this.#arena.u8;
  }

  /** A private copy of ring memory. */
  copy(start: number, length: number): Uint8Array {
    this.copies++;
    this.copiedBytes += length;
    const copy = Buffer.allocUnsafeSlow(length);
    copyOut(this.#arena, copy, start);
    return copy;
  }

  #view(start: number, length: number, after: { done: (() => void) | undefined }): Uint8Array {
    if (!this.isDevelopment) return new Uint8Array(this.#arena.buffer, start, length);
    // A view cannot be revoked; in development a copy is, so that keeping it shows at once.
    return this.detachable(this.#arena.u8.subarray(start, start + length), after);
  }

  /** A copy that is detached once its handler returned. */
  detachable(bytes: Uint8Array, after: { done: (() => void) | undefined }): Uint8Array {
    const copy = Uint8Array.from(bytes);
    after.done = () => detach(copy);
    return copy;
  }

  /** The bytes of a bundle in private memory. */
  readBundle(ring: RingConsumer): Uint8Array {
    if ((ring.tag & RECORD.SLAB) !== 0) return this.#readSlab(ring, "copy", { done: undefined });
    return this.copy(ring.start + RECORD.HEAD_BYTES, ring.size - RECORD.HEAD_BYTES);
  }

  /** Gives a slab back that nobody reads. */
  dropSlab(ring: RingConsumer): void {
    const slab = this.#slabOf(ring);
    core.releaseSlab(this.#isolate, slab.index, slab.generation);
  }

  #slabOf(ring: RingConsumer): SlabReference {
    const u32 = this.#arena.u32;
    return {
      index: u32[(ring.start + RECORD.SLAB_INDEX) >>> 2] as number,
      generation: u32[(ring.start + RECORD.SLAB_GENERATION) >>> 2] as number,
      start: this.#arena.at(u32[(ring.start + RECORD.SLAB_OFFSET) >>> 2] as number),
    };
  }

  #mayHold(length: number): boolean {
    return this.#heldBytes + length <= HELD_BYTES_MAX;
  }

  #hold(slab: SlabReference, length: number): Uint8Array {
    this.#heldBytes += length;
    return viewSlab(this.#arena, this.#isolate, slab, length, () => {
      this.#heldBytes -= length;
    });
  }

  /**
   * Copies bytes into a slab, where others can read them in place; what lies in one stays there.
   *
   * @throws FoundationError `binaries_full`, `arena_exhausted`
   */
  count(bytes: Uint8Array): Uint8Array {
    if (slabOf(bytes) !== undefined) return bytes;
    const { length } = bytes;
    if (!this.#mayHold(length)) {
      const context = { bytes: length, heldBytes: this.#heldBytes, heldBytesMax: HELD_BYTES_MAX };
      const text = `an isolate holds at most ${HELD_BYTES_MAX} counted bytes`;
      throw new FoundationError("binaries_full", text, { context });
    }
    const slab = fillSlab(this.#arena, this.#isolate, bytes);
    outgoing.add(length);
    return this.#hold(slab, length);
  }

  /** An array whose last element a slab holds: in place, unless too much is held already. */
  #readLed(ring: RingConsumer, after: { done: (() => void) | undefined }): unknown[] {
    const bytes = plain(this.#readSlab(ring, "held", after));
    const start = ring.start + RECORD.SLAB_RECORD_BYTES;
    const lead = Buffer.from(this.#arena.u8.subarray(start, ring.start + ring.size));
    return [...(decodePacked(lead) as unknown[]), bytes];
  }

  #readSlab(
    ring: RingConsumer,
    mode: BytesMode,
    after: { done: (() => void) | undefined },
  ): Uint8Array {
    const slab = this.#slabOf(ring);
    const length = this.#arena.u32[(ring.start + RECORD.SLAB_LENGTH) >>> 2] as number;
    const give = (): boolean => core.releaseSlab(this.#isolate, slab.index, slab.generation);
    if (mode === "view") {
      after.done = give;
      return new Uint8Array(this.#arena.buffer, slab.start, length);
    }
    if (mode === "held" && this.#mayHold(length)) return this.#hold(slab, length);
    const copy = this.copy(slab.start, length);
    give();
    return copy;
  }
}

/** Takes private bytes away from whoever kept them. */
export function detach(bytes: Uint8Array): void {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
}

function checkEncoding(encoding: number): void {
  if (encoding !== ENCODING.packed && encoding !== ENCODING.error) {
    throw new FoundationError("undecodable", `encoding ${encoding} is not known to this version`);
  }
}

/** Bytes as they are, a table around them, or the value that they encode. */
function wrap(bytes: Uint8Array, encoding: number): unknown {
  if (encoding === ENCODING.bytes) return plain(bytes);
  if (encoding === ENCODING.flatBuffers) return new FlatTable(bytes);
  checkEncoding(encoding);
  return decodePacked(bytes);
}

/** Handlers get a Uint8Array, whatever class the copy was made as. */
function plain(bytes: Uint8Array): Uint8Array {
  if (!Buffer.isBuffer(bytes)) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
