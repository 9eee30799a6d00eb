import { Pid } from "../../base/pid.ts";
import { readShortText, SHORT_TEXT_MAX } from "../../kernel/short-text.ts";
import { readValue } from "../../kernel/value-reader.ts";
import {
  type WrittenValue,
  wholeBytes,
  wholeLength,
  wholeStart,
} from "../../kernel/value-writer.ts";
import type { FoundationEvent } from "./event-types.ts";

// The body of an encoded event, all numbers big endian: a byte that says which optional fields are
// there; id and timestamp, float64; wall time, float64; hybrid time, float64 and u16; parent,
// float64; then as texts the type, node and correlation id; a pid, two texts, two u16, a float64;
// at last the data in the value format of docs/protocol.md. A text is its length, u16, and so many
// bytes of UTF-8.
const HAS = Object.freeze({
  wallTime: 1,
  hlc: 2,
  parentId: 4,
  node: 8,
  correlationId: 16,
  pid: 32,
});
const HAS_ANY = 63;
/** All numbers of a body, and the lengths of its texts. */
const NUMBER_BYTES_MAX = 64;
/** Longer texts are copied by the engine, which has a price of its own. */
const LOOPED_MAX = 64;
/** The same for data, whose copy by the engine needs two views more. */
const LOOPED_DATA_MAX = 160;

/** Memory that bodies are put into and read from, under both of its views. */
export interface BodyMemory {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Views of memory; nothing is copied. */
export function bodyMemory(bytes: Uint8Array): BodyMemory {
  const { buffer, byteOffset, byteLength } = bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  return { bytes: Buffer.from(buffer, byteOffset, byteLength), view };
}

/** More bytes than an event's body takes. */
export function bodyBound(event: FoundationEvent, data: WrittenValue): number {
  const { eventType, node, correlationId, pid } = event;
  let characters = eventType.length + (node?.length ?? 0) + (correlationId?.length ?? 0);
  if (pid) characters += pid.home.node.length + pid.home.life.length;
  return NUMBER_BYTES_MAX + 3 * characters + wholeLength(data);
}

/** Puts a body into memory with room for {@link bodyBound} bytes; answers where it ends. */
export function putBody(
  event: FoundationEvent,
  data: WrittenValue,
  { bytes, view }: BodyMemory,
  start: number,
): number {
  const { wallTime, hlc, parentId, node, correlationId, pid } = event;
  let has = 0;
  view.setFloat64(start + 1, event.eventId);
  view.setFloat64(start + 9, event.timestamp);
  let at = start + 17;
  if (wallTime !== null && wallTime !== undefined) {
    has |= HAS.wallTime;
    view.setFloat64(at, wallTime);
    at += 8;
  }
  if (hlc) {
    has |= HAS.hlc;
    view.setFloat64(at, hlc.ms);
    view.setUint16(at + 8, hlc.counter);
    at += 10;
  }
  if (parentId) {
    has |= HAS.parentId;
    view.setFloat64(at, parentId);
    at += 8;
  }
  at = putText(bytes, event.eventType, at);
  if (node !== null && node !== undefined) {
    has |= HAS.node;
    at = putText(bytes, node, at);
  }
  if (correlationId !== null && correlationId !== undefined) {
    has |= HAS.correlationId;
    at = putText(bytes, correlationId, at);
  }
  if (pid) {
    has |= HAS.pid;
    at = putPid(bytes, view, pid, at);
  }
  bytes[start] = has;
  return putData(bytes, data, at);
}

function putText(bytes: Buffer, text: string, at: number): number {
  const { length } = text;
  const start = at + 2;
  let end = start;
  if (length <= LOOPED_MAX) {
    while (end - start < length) {
      const code = text.charCodeAt(end - start);
      if (code >= 0x80) break;
      bytes[end++] = code;
    }
  }
  if (end - start < length) end = start + bytes.write(text, start, "utf8");
  const written = end - start;
  bytes[at] = written >>> 8;
  bytes[at + 1] = written;
  return end;
}

function putPid(bytes: Buffer, view: DataView, { home, serial }: Pid, start: number): number {
  const at = putText(bytes, home.life, putText(bytes, home.node, start));
  view.setUint16(at, home.slot);
  view.setUint16(at + 2, home.generation);
  view.setFloat64(at + 4, serial);
  return at + 12;
}

function putData(bytes: Buffer, data: WrittenValue, at: number): number {
  const start = wholeStart(data);
  const { memory, end } = data;
  if (start < 0 || end - start > LOOPED_DATA_MAX) {
    const whole = wholeBytes(data);
    bytes.set(whole, at);
    return at + whole.length;
  }
  let to = at;
  for (let from = start; from < end; from++) bytes[to++] = memory[from] as number;
  return to;
}

let position = 0;
let stop = 0;

/**
 * The event of a body, its fields not checked yet.
 *
 * @throws RangeError, FoundationError `undecodable`, and what msgpackr throws, for bytes that are
 *   not one whole body
 */
export function readBody({ bytes, view }: BodyMemory, start: number, end: number): unknown {
  const has = bytes[start] as number;
  if (has > HAS_ANY) throw new RangeError("a field is not known");
  position = start + 1;
  stop = end;
  const eventId = readNumber(view);
  const timestamp = readNumber(view);
  const wallTime = (has & HAS.wallTime) === 0 ? null : readNumber(view);
  const hlc =
    (has & HAS.hlc) === 0 ? null : { ms: readNumber(view), counter: view.getUint16(forward(2)) };
  const parentId = (has & HAS.parentId) === 0 ? null : readNumber(view);
  const eventType = readText(bytes);
  const node = (has & HAS.node) === 0 ? null : readText(bytes);
  const correlationId = (has & HAS.correlationId) === 0 ? null : readText(bytes);
  const pid = (has & HAS.pid) === 0 ? null : readPid(bytes, view);
  const data = readValue(bytes, position, end);
  return {
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
}

/** Where the next field is; the position moves behind it. */
function forward(length: number): number {
  const at = position;
  position += length;
  if (position > stop) throw new RangeError("a field is cut short");
  return at;
}

function readNumber(view: DataView): number {
  return view.getFloat64(forward(8));
}

function readText(bytes: Buffer): string {
  const head = forward(2);
  const length = ((bytes[head] as number) << 8) | (bytes[head + 1] as number);
  const at = forward(length);
  const short = length <= SHORT_TEXT_MAX ? readShortText(bytes, at, length) : undefined;
  return short ?? bytes.toString("utf8", at, at + length);
}

function readPid(bytes: Buffer, view: DataView): Pid {
  const node = readText(bytes);
  const life = readText(bytes);
  const at = forward(12);
  const slot = view.getUint16(at);
  const generation = view.getUint16(at + 2);
  return new Pid({ node, life, slot, generation }, view.getFloat64(at + 4));
}
