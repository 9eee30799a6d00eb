import { RECORD } from "../../bindings/generated/layout.ts";
import type { MessageHead } from "./record-writer.ts";
import { ENCODING } from "./values.ts";

/** Largest message that shares a record with others of its burst. Unit: bytes. */
export const BUNDLED_BYTES_MAX = 1 << 10;
/**
 * Largest bundle: small enough that urgent messages and chunks of others get between. Unit: bytes.
 */
export const BUNDLE_BYTES_MAX = 8 << 10;

const ENCODING_MASK = 7 << RECORD.ENCODING_SHIFT;

/** What a bundle of messages like this one is tagged with; -1 where there are no such bundles. */
function bundleTag(tag: number): number {
  const rest = tag & ~ENCODING_MASK;
  switch ((tag & ENCODING_MASK) >>> RECORD.ENCODING_SHIFT) {
    case ENCODING.bytes:
      return rest | (ENCODING.bytesBundle << RECORD.ENCODING_SHIFT);
    case ENCODING.messagePack:
      return rest | (ENCODING.messagePackBundle << RECORD.ENCODING_SHIFT);
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
  /** Names the receiver of messages of bytes. */
  #route: object | undefined;

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
  open(head: MessageHead, payload: Uint8Array, bytesMax: number): void {
    const bytes = Math.max(bytesMax, RECORD.BUNDLE_LENGTH_BYTES + payload.length);
    this.tag = bundleTag(head.tag);
    this.channel = head.channel;
    this.#peer = head.peer;
    this.#destination = head.destination;
    this.#route = (head.tag & ENCODING_MASK) === 0 ? head.route : undefined;
    this.#limit = Math.min(this.body.length, RECORD.HEAD_BYTES + bytes);
    this.#count = 0;
    this.size = RECORD.HEAD_BYTES;
    writeHead(this.#u32, this.#u16, 0, head, 0);
    this.#add(payload);
  }

  /** Adds bytes to the bundle that is open for a route; false where that is another one or full. */
  append(route: object, payload: Uint8Array): boolean {
    return route === this.#route && this.#add(payload);
  }

  /** Adds a message of the same receiver, channel and encoding; false: it opens another bundle. */
  extend(head: MessageHead, payload: Uint8Array): boolean {
    return (
      this.size > 0 &&
      head.peer === this.#peer &&
      head.destination === this.#destination &&
      head.channel === this.channel &&
      bundleTag(head.tag) === this.tag &&
      this.#add(payload)
    );
  }

  #add(payload: Uint8Array): boolean {
    const { length } = payload;
    const { body, size } = this;
    const start = size + RECORD.BUNDLE_LENGTH_BYTES;
    if (start + length > this.#limit || length > BUNDLED_BYTES_MAX) return false;
    body[size] = length;
    body[size + 1] = length >>> 8;
    if (length > 0) body.set(payload, start);
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
