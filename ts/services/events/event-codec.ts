import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { FoundationError } from "../../base/errors.ts";
import { readValue } from "../../kernel/value-reader.ts";
import {
  type WrittenValue,
  wholeBytes,
  wholeLength,
  writeValue,
} from "../../kernel/value-writer.ts";
import { EVENT_BYTES_MAX, EVENT_DATA_BYTES_MAX, type FoundationEvent } from "./event-types.ts";
import { checkDataSize, checkEventFields } from "./event-validator.ts";

/** How an event is written. */
export interface SerializeOptions {
  /** Whether it is made smaller, where that pays. Unit: switch. Default: true. */
  readonly compression?: boolean;
}

/** How events are written unless options say otherwise. */
export const SERIALIZE_DEFAULTS = Object.freeze({
  compression: true, // as Foundation 1.x
});

// An encoded event: "FE", version, flags; the fields as one array of the value format of
// docs/protocol.md; with CHECKED, a CRC-32 of all before it. With DEFLATED the array is deflated.
const MAGIC = [0x46, 0x45];
const VERSION = 1;
const FLAG = Object.freeze({ deflated: 1, checked: 2 });
const HEAD_BYTES = 4;
const CHECK_BYTES = 4;
/** Below it, deflating takes longer than what it saves is worth. Unit: bytes. */
const DEFLATED_MIN = 256;
/** eventId … parentId, then data. */
const FIELDS = 11;

/**
 * The fields of an event in the value format: valid until the next call, in memory that is used
 * again.
 *
 * @throws FoundationError `validation_failed` (2001), `type_mismatch` (2002), `data_too_large`
 *   (2003)
 */
export function writeEvent(event: FoundationEvent): WrittenValue {
  checkEventFields(event);
  const { hlc } = event;
  const fields = [
    event.eventId,
    event.eventType,
    event.timestamp,
    event.wallTime ?? null,
    hlc?.ms ?? null,
    hlc?.counter ?? null,
    event.node ?? null,
    event.pid ?? null,
    event.correlationId ?? null,
    event.parentId ?? null,
    event.data,
  ];
  const written = write(fields);
  if (wholeLength(written) <= EVENT_DATA_BYTES_MAX) return written;
  checkDataSize(dataBytes(event.data));
  return write(fields);
}

/**
 * What data take when they are written. Unit: bytes.
 *
 * @throws FoundationError `type_mismatch` (2002) for what cannot be written: functions, symbols,
 *   what contains itself
 */
export function dataBytes(data: unknown): number {
  return wholeLength(write(data));
}

function write(value: unknown): WrittenValue {
  try {
    return writeValue(value);
  } catch (thrown) {
    throw unwritable(thrown);
  }
}

function unwritable(cause: unknown): FoundationError {
  const reason = cause instanceof Error ? cause.message : "it cannot be read";
  return new FoundationError("type_mismatch", `the data of an event cannot be kept: ${reason}`, {
    numericCode: 2002,
    context: { field: "data" },
    cause,
  });
}

/** Bytes that an event takes where {@link putEvent} puts it. */
export function encodedLength(written: WrittenValue): number {
  return HEAD_BYTES + wholeLength(written);
}

/** Puts an event into memory that has room for {@link encodedLength} bytes at a position. */
export function putEvent(written: WrittenValue, memory: Uint8Array, at: number): void {
  putHead(memory, at, 0);
  memory.set(wholeBytes(written), at + HEAD_BYTES);
}

function putHead(memory: Uint8Array, at: number, flags: number): void {
  memory[at] = MAGIC[0] as number;
  memory[at + 1] = MAGIC[1] as number;
  memory[at + 2] = VERSION;
  memory[at + 3] = flags;
}

/**
 * An event as bytes of its own, without a check sum: for what stays in this process, or checks
 * what it keeps itself.
 *
 * @throws FoundationError as `writeEvent`
 */
export function encodeEvent(event: FoundationEvent): Uint8Array {
  const written = writeEvent(event);
  const bytes = new Uint8Array(encodedLength(written));
  putEvent(written, bytes, 0);
  return bytes;
}

/**
 * An event as bytes that can be kept and sent: small, and checked when they are read.
 *
 * @throws FoundationError `serialization_failed` (3101) with the reason as `cause`
 */
export function serializeEvent(event: FoundationEvent, options: SerializeOptions = {}): Uint8Array {
  const { compression = SERIALIZE_DEFAULTS.compression } = options;
  try {
    const whole = wholeBytes(writeEvent(event));
    const deflated =
      compression && whole.length >= DEFLATED_MIN ? deflateRawSync(whole) : undefined;
    const isSmaller = deflated !== undefined && deflated.length < whole.length;
    const body = isSmaller ? deflated : whole;
    const bytes = new Uint8Array(HEAD_BYTES + body.length + CHECK_BYTES);
    putHead(bytes, 0, FLAG.checked | (isSmaller ? FLAG.deflated : 0));
    bytes.set(body, HEAD_BYTES);
    const end = HEAD_BYTES + body.length;
    viewOf(bytes).setUint32(end, crc32(bytes.subarray(0, end)));
    return bytes;
  } catch (thrown) {
    throw unserializable(event, thrown);
  }
}

/**
 * The event that bytes hold, in memory of its own. They may come from anywhere: what is not one
 * whole event is refused, and takes no more memory than the largest one.
 *
 * @throws FoundationError `deserialization_failed` (3102)
 */
export function decodeEvent(bytes: Uint8Array, start = 0, end = bytes.length): FoundationEvent {
  try {
    const flags = readHead(bytes, start, end);
    let stop = end;
    if ((flags & FLAG.checked) !== 0) {
      stop -= CHECK_BYTES;
      checkSum(bytes, start, stop);
    }
    if ((flags & FLAG.deflated) === 0) return readFields(bytes, start + HEAD_BYTES, stop);
    const packed = bytes.subarray(start + HEAD_BYTES, stop);
    const inflated = inflateRawSync(packed, { maxOutputLength: EVENT_BYTES_MAX });
    return readFields(inflated, 0, inflated.length);
  } catch (thrown) {
    throw unreadable(end - start, thrown);
  }
}

function unserializable(event: FoundationEvent, cause: unknown): FoundationError {
  const context = { eventId: event?.eventId };
  return new FoundationError("serialization_failed", "the event cannot be written", {
    cause,
    context,
  });
}

function unreadable(binarySize: number, cause: unknown): FoundationError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FoundationError("deserialization_failed", `the bytes are no event: ${reason}`, {
    cause,
    context: { binarySize },
  });
}

function readHead(bytes: Uint8Array, start: number, end: number): number {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("they are no Uint8Array");
  const length = end - start;
  if (length > HEAD_BYTES + EVENT_BYTES_MAX + CHECK_BYTES)
    throw new RangeError("they are too many");
  if (length <= HEAD_BYTES + CHECK_BYTES) throw new RangeError("they are too few");
  if (bytes[start] !== MAGIC[0] || bytes[start + 1] !== MAGIC[1]) {
    throw new TypeError("they begin otherwise");
  }
  const version = bytes[start + 2];
  if (version !== VERSION) throw new RangeError(`version ${version} is not known here`);
  const flags = bytes[start + 3] as number;
  if ((flags & ~(FLAG.deflated | FLAG.checked)) !== 0) throw new RangeError("a flag is not known");
  return flags;
}

function checkSum(bytes: Uint8Array, start: number, stop: number): void {
  if (viewOf(bytes).getUint32(stop) !== crc32(bytes.subarray(start, stop))) {
    throw new TypeError("their check sum differs");
  }
}

function readFields(bytes: Uint8Array, start: number, end: number): FoundationEvent {
  const fields = readValue(bytes, start, end);
  if (!Array.isArray(fields) || fields.length !== FIELDS) throw new TypeError("fields are missing");
  const [eventId, eventType, timestamp, wallTime, ms, counter, ...rest] = fields as unknown[];
  const [node, pid, correlationId, parentId, data] = rest;
  const hlc = ms === null && counter === null ? null : { ms, counter };
  const event: unknown = {
    eventType,
    eventId,
    timestamp,
    wallTime,
    hlc,
    node,
    pid,
    correlationId,
    parentId,
    data,
  };
  checkEventFields(event);
  return event;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
