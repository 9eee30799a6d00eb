import { RECORD } from "../../bindings/generated/layout.ts";
import { outgoing } from "./outgoing.ts";
import type { MessageHead } from "./record-writer.ts";
import type { Shape } from "./shapes.ts";
import type { WrittenValue } from "./value-writer.ts";
import { ENCODING, type Encoded } from "./values.ts";

/** Largest message that shares a record with others of its burst. Unit: bytes. */
export const BUNDLED_BYTES_MAX = 1 << 10;
/**
 * Largest bundle: small enough that urgent messages and chunks of others get between. Unit: bytes.
 */
export const BUNDLE_BYTES_MAX = 8 << 10;

/** A shorter value is copied in a loop: a native copy needs a view made first. Unit: bytes. */
const LOOPED_BYTES_MAX = 64;

const ENCODING_MASK = 7 << RECORD.ENCODING_SHIFT;

/** What a bundle of messages like this one is tagged with; -1 where there are no such bundles. */
function bundleTag(tag: number): number {
  const rest = tag & ~ENCODING_MASK;
  switch ((tag & ENCODING_MASK) >>> RECORD.ENCODING_SHIFT) {
    case ENCODING.bytes:
      return rest | (ENCODING.bytesBundle << RECORD.ENCODING_SHIFT);
    case ENCODING.packed:
      return rest | (ENCODING.packedBundle << RECORD.ENCODING_SHIFT);
    default:
      return -1;
  }
}

/** Writes a message's head, as the layout has it. */
export function writeHead(
  u32: Uint32Array,
  u16: Uint16Array,
  start: number,
  head: MessageHead,
  keyBytes: number,
): void {
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

/**
 * Small messages of one burst on their way into one record: put together in private memory, where
 * copies are fast, and brought into the ring as a whole.
 */
export class OpenBundle {
  /** The record's body: head, then each message behind its length. */
  readonly body: Uint8Array;
  /** Used bytes of the body; 0 where no bundle is open. Unit: bytes. */
  size = 0;
  tag = 0;
  channel = 0;
  readonly #u32: Uint32Array;
  readonly #u16: Uint16Array;
  #limit = 0;
  #count = 0;
  #peer = 0;
  #destination = 0;
  /** Names the receiver. */
  #route: object | undefined;
  #isPacked = false;
  /** Shapes that values of this bundle have described, by number. */
  #described: (Shape | undefined)[] = [];

  constructor(bytesMax: number) {
    // On the heap of ArrayBuffers, in whole words: the copy into the ring is then aligned.
    const buffer = new ArrayBuffer((bytesMax + 7) & ~7);
    this.body = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#u16 = new Uint16Array(buffer);
  }

  /** Whether a message may share a record. */
  takes(head: MessageHead, length: number): boolean {
    return (
      head.mayBundle &&
      length <= BUNDLED_BYTES_MAX &&
      RECORD.HEAD_BYTES + RECORD.BUNDLE_LENGTH_BYTES + length <= this.body.length &&
      bundleTag(head.tag) >= 0
    );
  }

  /**
   * Opens a bundle with its first message. `bytesMax` is what its messages may come to with their
   * lengths; the first one always fits.
   */
  open(head: MessageHead, value: Encoded, bytesMax: number): void {
    const bytes = Math.max(bytesMax, RECORD.BUNDLE_LENGTH_BYTES + value.length);
    this.tag = bundleTag(head.tag);
    this.channel = head.channel;
    this.#peer = head.peer;
    this.#destination = head.destination;
    this.#route = head.route;
    this.#isPacked = value.packed !== undefined;
    if (this.#described.length > 0) this.#described = [];
    this.#limit = Math.min(this.body.length, RECORD.HEAD_BYTES + bytes);
    this.#count = 0;
    this.size = RECORD.HEAD_BYTES;
    writeHead(this.#u32, this.#u16, 0, head, 0);
    this.#addEncoded(value);
  }

  /** Adds bytes to the bundle that is open for a route; false where that is another one or full. */
  append(route: object, payload: Uint8Array): boolean {
    return route === this.#route && !this.#isPacked && this.#add(payload);
  }

  /** The same for a value. */
  appendPacked(route: object, value: WrittenValue): boolean {
    return route === this.#route && this.#isPacked && this.#addPacked(value);
  }

  /** Adds a message of the same receiver, channel and encoding; false: it opens another bundle. */
  extend(head: MessageHead, value: Encoded): boolean {
    return (
      this.size > 0 &&
      head.peer === this.#peer &&
      head.destination === this.#destination &&
      head.channel === this.channel &&
      bundleTag(head.tag) === this.tag &&
      this.#addEncoded(value)
    );
  }

  #addEncoded(value: Encoded): boolean {
    return value.packed === undefined ? this.#add(value.bytes) : this.#addPacked(value.packed);
  }

  /** Adds a value with the descriptions that the bundle does not have yet. */
  #addPacked(value: WrittenValue): boolean {
    const { body, size } = this;
    const described = this.#described;
    const { memory, start, end, shapes, shapeCount } = value;
    let length = end - start;
    for (let index = 0; index < shapeCount; index++) {
      const shape = shapes[index] as Shape;
      if (described[shape.id] !== shape) length += shape.description.length;
    }
    let at = size + RECORD.BUNDLE_LENGTH_BYTES;
    if (at + length > this.#limit || length > BUNDLED_BYTES_MAX) return false;
    body[size] = length;
    body[size + 1] = length >>> 8;
    for (let index = 0; index < shapeCount; index++) {
      const shape = shapes[index] as Shape;
      if (described[shape.id] === shape) continue;
      described[shape.id] = shape;
      body.set(shape.description, at);
      at += shape.description.length;
    }
    if (end - start <= LOOPED_BYTES_MAX) {
      for (let from = start; from < end; from++) body[at++] = memory[from] as number;
    } else {
      body.set(memory.subarray(start, end), at);
    }
    this.size = size + RECORD.BUNDLE_LENGTH_BYTES + length;
    outgoing.add(length);
    this.#count++;
    return true;
  }

  #add(payload: Uint8Array): boolean {
    const { length } = payload;
    const { body, size } = this;
    const start = size + RECORD.BUNDLE_LENGTH_BYTES;
    if (start + length > this.#limit || length > BUNDLED_BYTES_MAX) return false;
    body[size] = length;
    body[size + 1] = length >>> 8;
    if (length > 0) body.set(payload, start);
    outgoing.add(length);
    this.size = start + length;
    this.#count++;
    return true;
  }

  /** Closes the bundle, whose body is complete then; answers its size. Unit: bytes. */
  close(): number {
    const { size } = this;
    this.#u32[RECORD.CORRELATION / 4] = this.#count;
    this.size = 0;
    this.#route = undefined;
    return size;
  }
}
