import { Buffer } from "node:buffer";
import { FoundationError } from "../../../base/errors.ts";
import type { LoggedEvent } from "../event-log.ts";

// A record as native/store/src/record.rs has it: id f64, time f64, bytes of the type u16, of the
// correlation u16 (NO_CORRELATION: there is none), of the event u32; then these.
const HEADER_BYTES = 24;
const NO_CORRELATION = 0xffff;
/** Longest type and correlation. Unit: bytes of UTF-8. */
const TEXT_BYTES_MAX = NO_CORRELATION - 1;
/** Largest record. Unit: bytes. */
const RECORD_BYTES_MAX = 4 << 20;
/** Memory that is kept between groups. Unit: bytes. */
const KEPT_BYTES = 1 << 20;
/** Bytes of UTF-8 that a unit of a string takes at most. */
const UTF8_PER_UNIT = 3;

/** Writes events one behind the other, in memory that it uses again. */
export class RecordPacker {
  #bytes = Buffer.allocUnsafe(64 << 10);
  #view = viewOf(this.#bytes);
  #length = 0;

  /** What was packed since the last {@link take}. Unit: bytes. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a batch whole; where one of its events is refused, none of it.
   *
   * @throws FoundationError `invalid_argument`
   */
  add(batch: readonly LoggedEvent[]): void {
    const start = this.#length;
    try {
      for (const event of batch) this.#add(event);
    } catch (thrown) {
      this.#length = start;
      throw thrown;
    }
  }

  /** Takes back what was added behind a {@link length}. Unit: bytes. */
  cut(length: number): void {
    this.#length = length;
  }

  /** Hands out what was packed: valid until the next {@link add}. */
  take(): Uint8Array {
    const packed = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#use(Buffer.allocUnsafe(KEPT_BYTES));
    return packed;
  }

  #add({ eventId, eventType, correlationId, timestamp, bytes }: LoggedEvent): void {
    if (!Number.isSafeInteger(eventId) || eventId < 1) throw refused(`the id ${eventId}`);
    if (!Number.isFinite(timestamp)) throw refused(`the timestamp ${timestamp}`);
    const units = eventType.length + (correlationId?.length ?? 0);
    this.#reserve(HEADER_BYTES + UTF8_PER_UNIT * units + bytes.length);
    const start = this.#length;
    let at = start + HEADER_BYTES;
    const typeBytes = this.#bytes.write(eventType, at);
    at += typeBytes;
    const foundBy = correlationId === null ? 0 : this.#bytes.write(correlationId, at);
    at += foundBy;
    if (typeBytes > TEXT_BYTES_MAX || foundBy > TEXT_BYTES_MAX) throw refused("so long a text");
    if (at + bytes.length - start > RECORD_BYTES_MAX) throw refused(`${bytes.length} bytes`);
    this.#bytes.set(bytes, at);
    this.#view.setFloat64(start, eventId, true);
    this.#view.setFloat64(start + 8, timestamp, true);
    this.#view.setUint16(start + 16, typeBytes, true);
    this.#view.setUint16(start + 18, correlationId === null ? NO_CORRELATION : foundBy, true);
    this.#view.setUint32(start + 20, bytes.length, true);
    this.#length = at + bytes.length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#use(larger);
  }

  #use(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function refused(what: string): FoundationError {
  return new FoundationError("invalid_argument", `no event of a warm store has ${what}`);
}
