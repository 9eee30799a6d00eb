import { randomUUID } from "node:crypto";
import { BroadcastChannel } from "node:worker_threads";
import { FoundationError } from "../../base/errors.ts";
import { SharedBinaries } from "../memory/shared-binaries.ts";
import { openSharedBinary, type SharedBinary } from "../memory/shared-binary.ts";
import type { SharingCounts } from "./memory-types.ts";

/**
 * Bytes below it go with their message: telling another isolate of memory takes 12 us, as long as
 * two copies of so much. Unit: bytes.
 */
const SHARED_BYTES_MIN = 65_536;

/** Which fields of a piece of work came apart from it; "" where it is bytes itself. */
export interface ApartFields {
  /** Names the post that they came in. */
  readonly post: number;
  readonly fields: readonly string[];
}

/** Bytes of one piece of work, in the order of its fields. */
export interface BytesPost {
  readonly post: number;
  readonly bytes: readonly Uint8Array[];
}

/** A piece of work whose bytes went ahead of it. */
export interface ApartWork {
  readonly message: unknown;
  readonly apart: ApartFields;
  /** Nobody reads them any more. */
  readonly release: () => void;
}

/** Puts bytes of work into shared memory, and tells workers where. */
export class WorkPayloads {
  readonly #binaries: SharedBinaries;
  readonly #channels = new Map<string, BroadcastChannel>();
  readonly #tally = { pieces: 0, bytes: 0, refused: 0 };
  #post = 0;

  constructor(sharedMiB: number) {
    this.#binaries = new SharedBinaries({ budgetBytes: sharedMiB * 2 ** 20 });
  }

  /** What it did. */
  counts(): SharingCounts {
    const { copies, copiedBytes, binaries } = this.#binaries.counts();
    return { ...this.#tally, copies, copiedBytes, binaries };
  }

  /** A name by which one worker, in its isolate, hears of bytes; known by `key` from now on. */
  open(): { readonly name: string; readonly known: (key: string) => void } {
    const name = `foundation-runtime/work/${randomUUID()}`;
    const channel = new BroadcastChannel(name);
    channel.unref();
    return { name, known: (key) => this.#channels.set(key, channel) };
  }

  /** A worker is gone. */
  close(key: string): void {
    this.#channels.get(key)?.close();
    this.#channels.delete(key);
  }

  /** Sends the bytes of a message ahead; undefined where it has none, or there is no room. */
  share(key: string, message: unknown): ApartWork | undefined {
    const channel = this.#channels.get(key);
    const fields = fieldsOf(message);
    if (channel === undefined || fields.length === 0) return undefined;
    const held: SharedBinary[] = [];
    const release = (): void => {
      for (const binary of held.splice(0)) binary.release();
    };
    try {
      const bytes = fields.map((field) => this.#shared(bytesAt(message, field), held));
      const post = ++this.#post;
      channel.postMessage({ post, bytes } satisfies BytesPost);
      this.#tally.pieces++;
      this.#tally.bytes += bytes.reduce((sum, { length }) => sum + length, 0);
      return { message: without(message, fields), apart: { post, fields }, release };
    } catch (thrown) {
      release();
      if (!(thrown instanceof FoundationError) || thrown.code !== "binaries_full") throw thrown;
      this.#tally.refused++;
      return undefined;
    }
  }

  #shared(bytes: Uint8Array, held: SharedBinary[]): Uint8Array {
    if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
    const binary = this.#binaries.put(bytes);
    // Read by a ticket, as elsewhere, it stays where it is. The ticket stays here: a worker that
    // dies gives nothing back.
    const reader = openSharedBinary(binary.ticket());
    binary.release();
    held.push(reader);
    return reader.bytes();
  }

  /** The ecosystem has ended. */
  end(): void {
    for (const key of [...this.#channels.keys()]) this.close(key);
    this.#binaries.close();
  }
}

/** Where bytes stand in a message: in itself, or in its own fields. */
function fieldsOf(message: unknown): string[] {
  if (isLarge(message)) return [""];
  if (typeof message !== "object" || message === null) return [];
  const isPlain = Array.isArray(message) || isPlainObject(message);
  return isPlain ? Object.keys(message).filter((key) => isLarge(Reflect.get(message, key))) : [];
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isLarge(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= SHARED_BYTES_MIN;
}

function bytesAt(message: unknown, field: string): Uint8Array {
  return (field === "" ? message : Reflect.get(message as object, field)) as Uint8Array;
}

function without(message: unknown, fields: readonly string[]): unknown {
  if (fields[0] === "") return null;
  const copy: object = Array.isArray(message) ? [...message] : { ...(message as object) };
  for (const field of fields) Reflect.set(copy, field, null);
  return copy;
}
