import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { FoundationError } from "../../base/errors.ts";
import { thrownText } from "../../base/thrown-text.ts";
import { type WrittenValue, wholeLength, writeValue } from "../../kernel/value-writer.ts";
import { type BodyMemory, bodyBound, bodyMemory, putBody, readBody } from "./event-format.ts";
import { EVENT_BYTES_MAX, type FoundationEvent } from "./event-types.ts";
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

// An encoded event: "FE", version, flags; the body, which event-format.ts has; with CHECKED, a
// CRC-32 of all before it. With DEFLATED, which is always CHECKED, the body is deflated.
const MAGIC = [0x46, 0x45];
const VERSION = 1;
const FLAG = Object.freeze({ deflated: 1, checked: 2 });
const HEAD_BYTES = 4;
const CHECK_BYTES = 4;
/** Below it, deflating takes longer than what it saves is worth. Unit: bytes. */
const DEFLATED_MIN = 256;

/**
 * The data of an event, written: valid until something else is. The event is one, and may be put
 * somewhere by {@link putEvent}.
 *
 * @throws FoundationError `validation_failed` (2001), `type_mismatch` (2002), `data_too_large`
 *   (2003)
 */
export function writeData(event: FoundationEvent): WrittenValue {
  checkEventFields(event);
  const data = write(event.data);
  checkDataSize(wholeLength(data));
  return data;
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

/** More bytes than an event takes where {@link putEvent} puts it. */
export function eventBound(event: FoundationEvent, data: WrittenValue): number {
  return HEAD_BYTES + bodyBound(event, data);
}

/** Puts an event into memory with room for {@link eventBound} bytes; answers where it ends. */
export function putEvent(
  event: FoundationEvent,
  data: WrittenValue,
  memory: BodyMemory,
  at: number,
): number {
  putHead(memory.bytes, at, 0);
  return putBody(event, data, memory, at + HEAD_BYTES);
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
 * @throws FoundationError as `writeData`
 */
export function encodeEvent(event: FoundationEvent): Uint8Array {
  const data = writeData(event);
  const memory = bodyMemory(new Uint8Array(eventBound(event, data)));
  return new Uint8Array(memory.bytes.subarray(0, putEvent(event, data, memory, 0)));
}

/**
 * An event as bytes that can be kept and sent: small, and checked when they are read.
 *
 * @throws FoundationError `serialization_failed` (3101) with the reason as `cause`
 */
export function serializeEvent(event: FoundationEvent, options: SerializeOptions = {}): Uint8Array {
  const { compression = SERIALIZE_DEFAULTS.compression } = options;
  try {
    const whole = encodeEvent(event).subarray(HEAD_BYTES);
    const deflated =
      compression && whole.length >= DEFLATED_MIN ? deflateRawSync(whole) : undefined;
    const isSmaller = deflated !== undefined && deflated.length < whole.length;
    const body = isSmaller ? deflated : whole;
    const bytes = new Uint8Array(HEAD_BYTES + body.length + CHECK_BYTES);
    putHead(bytes, 0, FLAG.checked | (isSmaller ? FLAG.deflated : 0));
    bytes.set(body, HEAD_BYTES);
    const end = HEAD_BYTES + body.length;
    bodyMemory(bytes).view.setUint32(end, crc32(bytes.subarray(0, end)));
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
export function decodeEvent(bytes: Uint8Array): FoundationEvent {
  try {
    const flags = readHead(bytes);
    const memory = bodyMemory(bytes);
    let stop = bytes.length;
    if ((flags & FLAG.checked) !== 0) {
      stop -= CHECK_BYTES;
      checkSum(memory, stop);
    }
    if ((flags & FLAG.deflated) === 0) return checked(readBody(memory, HEAD_BYTES, stop));
    const packed = bytes.subarray(HEAD_BYTES, stop);
    const inflated = inflateRawSync(packed, { maxOutputLength: EVENT_BYTES_MAX });
    return checked(readBody(bodyMemory(inflated), 0, inflated.length));
  } catch (thrown) {
    throw unreadable(bytes, thrown);
  }
}

/** An event where {@link putEvent} has put it: nobody else has written there since. */
export function readEvent(memory: BodyMemory, start: number, end: number): FoundationEvent {
  return readBody(memory, start + HEAD_BYTES, end) as FoundationEvent;
}

function checked(event: unknown): FoundationEvent {
  checkEventFields(event);
  return event;
}

function unserializable(event: FoundationEvent, cause: unknown): FoundationError {
  const context = { eventId: event?.eventId };
  return new FoundationError("serialization_failed", "the event cannot be written", {
    cause,
    context,
  });
}

function unreadable(bytes: unknown, cause: unknown): FoundationError {
  const binarySize = bytes instanceof Uint8Array ? bytes.length : undefined;
  return new FoundationError(
    "deserialization_failed",
    `the bytes are no event: ${thrownText(cause)}`,
    {
      cause,
      context: { binarySize },
    },
  );
}

function readHead(bytes: Uint8Array): number {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("they are no Uint8Array");
  const { length } = bytes;
  if (length > HEAD_BYTES + EVENT_BYTES_MAX + CHECK_BYTES)
    throw new RangeError("they are too many");
  if (length <= HEAD_BYTES + CHECK_BYTES) throw new RangeError("they are too few");
  if (bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1]) throw new TypeError("they begin otherwise");
  const version = bytes[2];
  if (version !== VERSION) throw new RangeError(`version ${version} is not known here`);
  const flags = bytes[3] as number;
  if ((flags & ~(FLAG.deflated | FLAG.checked)) !== 0) throw new RangeError("a flag is not known");
  // Inflating stops where the packed body ends, and would leave a check sum behind it unread.
  if (flags === FLAG.deflated) throw new TypeError("they are deflated and have no check sum");
  return flags;
}

function checkSum({ bytes, view }: BodyMemory, stop: number): void {
  if (view.getUint32(stop) === crc32(bytes.subarray(0, stop))) return;
  throw new TypeError("their check sum differs");
}
