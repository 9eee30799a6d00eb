import { RECORD } from "../../bindings/generated/layout.ts";
import { FoundationError } from "../base/errors.ts";
import type { MessageContext, Registration } from "./handlers.ts";
import type { Origin } from "./origin.ts";
import type { PayloadReader } from "./payload.ts";
import type { RingConsumer } from "./ring.ts";
import type { DescribedShapes } from "./value-reader.ts";
import { decodePacked, ENCODING } from "./values.ts";

/** Small messages of one sender and receiver in one record, read one after the other. */
export class Bundle {
  readonly registration: Registration;
  readonly context: MessageContext;
  readonly #origin: Origin;
  readonly #channel: number;
  readonly #account: number;
  readonly #bytes: number;
  /** The memory that the bundle is read from: a private copy, or the ring itself for views. */
  readonly #source: Uint8Array;
  /** The memory under `#source`, kept because asking a view for it costs a call each time. */
  readonly #buffer: ArrayBufferLike;
  readonly #base: number;
  readonly #isPacked: boolean;
  /** What its values have described so far. */
  readonly #shapes: DescribedShapes = [];
  #at: number;
  readonly #end: number;
  /** Handlers that have not settled, and one for the reading itself. */
  #unsettled = 1;

  constructor(
    payload: PayloadReader,
    ring: RingConsumer,
    registration: Registration,
    context: MessageContext,
    place: { origin: Origin; channel: number; account: number },
  ) {
    this.registration = registration;
    this.context = context;
    this.#origin = place.origin;
    this.#channel = place.channel;
    this.#account = place.account;
    this.#bytes = ring.size - RECORD.HEAD_BYTES;
    const encoding = (ring.tag >>> RECORD.ENCODING_SHIFT) & 7;
    this.#isPacked = encoding === ENCODING.packedBundle;
    const isInPlace = registration.bytes === "view" && !this.#isPacked && !payload.isDevelopment;
    const start = ring.start + RECORD.HEAD_BYTES;
    this.#source = isInPlace ? payload.arenaBytes : payload.copy(start, this.#bytes);
    this.#buffer = this.#source.buffer;
    this.#base = this.#source.byteOffset;
    this.#at = isInPlace ? start : this.#base;
    this.#end = this.#at + this.#bytes;
  }

  /** Whether a message is left. */
  get hasNext(): boolean {
    return this.#at < this.#end;
  }

  /**
   * Reads the next message.
   *
   * @throws FoundationError `undecodable` where the lengths do not fit; nothing is left then
   */
  next(): unknown {
    const at = this.#at - this.#base;
    const low = this.#source[at] ?? 0;
    const length = low | ((this.#source[at + 1] ?? 0) << 8);
    const start = this.#at + RECORD.BUNDLE_LENGTH_BYTES;
    if (start + length > this.#end) {
      this.#at = this.#end;
      throw new FoundationError("undecodable", "a bundle's lengths do not fit");
    }
    this.#at = start + length;
    if (!this.#isPacked) return new Uint8Array(this.#buffer, start, length);
    const from = start - this.#base;
    return decodePacked(this.#source, from, from + length, this.#shapes);
  }

  /** One more handler took a message and has not settled. */
  hold(): void {
    this.#unsettled++;
  }

  /** A handler has settled, or the reading is over: the last one gives the credit back. */
  release(): void {
    this.#unsettled--;
    if (this.#unsettled === 0) this.#origin.settle(this.#channel, this.#account, this.#bytes);
  }
}
