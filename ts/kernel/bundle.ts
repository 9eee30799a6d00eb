import { RECORD } from "../../bindings/generated/layout.ts";
import { raise } from "../base/typed-events.ts";
import type { MessageContext, Registration } from "./handlers.ts";
import type { Origin } from "./origin.ts";
import type { PayloadReader } from "./payload.ts";
import type { RingConsumer } from "./ring.ts";
import type { DescribedShapes } from "./value-reader.ts";
import { decodePacked, ENCODING } from "./values.ts";

/** Who gets a bundle's credit back, and how much it is. */
export interface BundlePlace {
  readonly origin: Origin;
  readonly channel: number;
  readonly account: number;
  /** Length of its messages with their lengths. */
  readonly bytes: number;
}

/** {@link Bundle.next}: every message was read. */
export const END = Symbol("end");
/** {@link Bundle.next}: this message cannot be read, nor can the rest be found. */
export const BROKEN = Symbol("broken");

/** Small messages of one sender and receiver in one record, read one after the other. */
export class Bundle {
  readonly registration: Registration;
  readonly context: MessageContext;
  /** Each message is private and detached once its handler returned: keeping it shows at once. */
  readonly isDetaching: boolean;
  readonly #place: BundlePlace;
  /** The memory that the bundle is read from: a private copy, or the ring itself for views. */
  readonly #source: Uint8Array;
  /** The memory under `#source`, kept because asking a view for it costs a call each time. */
  readonly #buffer: ArrayBufferLike;
  /** Where `#source` begins in it. */
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
    place: BundlePlace,
  ) {
    this.registration = registration;
    this.context = context;
    this.#place = place;
    const encoding = (ring.tag >>> RECORD.ENCODING_SHIFT) & 7;
    this.#isPacked = encoding === ENCODING.packedBundle;
    const isView = registration.bytes === "view" && !this.#isPacked;
    this.isDetaching = isView && payload.isDevelopment;
    const isInPlace = isView && !this.isDetaching && (ring.tag & RECORD.SLAB) === 0;
    this.#source = isInPlace ? payload.arenaBytes : payload.readBundle(ring);
    this.#buffer = this.#source.buffer;
    this.#base = this.#source.byteOffset;
    this.#at = isInPlace ? ring.start + RECORD.HEAD_BYTES : this.#base;
    this.#end = this.#at + place.bytes;
  }

  /** Reads the next message; {@link END} or {@link BROKEN} where there is none. */
  next(): unknown {
    const at = this.#at;
    if (at >= this.#end) return END;
    const low = this.#source[at - this.#base] ?? 0;
    const length = low | ((this.#source[at - this.#base + 1] ?? 0) << 8);
    const start = at + RECORD.BUNDLE_LENGTH_BYTES;
    if (start + length > this.#end) return BROKEN;
    this.#at = start + length;
    if (!this.#isPacked) {
      const bytes = new Uint8Array(this.#buffer, start, length);
      return this.isDetaching ? bytes.slice() : bytes;
    }
    const from = start - this.#base;
    try {
      return decodePacked(this.#source, from, from + length, this.#shapes);
    } catch {
      return BROKEN;
    }
  }

  /** A handler works on: the bundle's credit stays taken until its promise has settled. */
  settleWith(result: PromiseLike<unknown>): void {
    this.#unsettled++;
    const done = (): void => this.release();
    result.then(done, (thrown: unknown) => {
      done();
      raise(thrown);
    });
  }

  /** A handler has settled, or the reading is over: the last one gives the credit back. */
  release(): void {
    this.#unsettled--;
    const { origin, channel, account, bytes } = this.#place;
    if (this.#unsettled === 0) origin.settle(channel, account, bytes);
  }
}
