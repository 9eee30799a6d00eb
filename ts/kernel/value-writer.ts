import { addExtension, Packr } from "msgpackr/pack";
import { IoList } from "../base/io-list.ts";
import { Pid } from "../base/pid.ts";
import { checkEmbedded } from "./embedded.ts";
import { outgoing } from "./outgoing.ts";
import { type Shape, Shapes } from "./shapes.ts";
import { MARK, OBJECT_COST, OBJECT_COST_MAX, VALUE_DEPTH_MAX } from "./value-format.ts";

/** Room in front of a value for the descriptions of its shapes. Unit: bytes. */
const FRONT_BYTES = 1 << 10;
const FIRST_BYTES = 16 << 10;
/** Memory that is kept between messages; a larger one is let go. Unit: bytes. */
const KEPT_BYTES_MAX = 1 << 20;
/** What any value without a length of its own takes at most. Unit: bytes. */
const SLACK_BYTES = 32;
/** Shorter texts are copied in a loop; the native copy has a price of its own. */
const LOOPED_TEXT_MAX = 48;
const BYTES_MAX = 1 << 30;
/** Numbers of messages begin again behind it: up to here V8 keeps them without an allocation. */
const MESSAGE_NUMBER_MAX = (1 << 30) - 1;

/** Classes whose objects stand for something of their isolate: nothing of them could be carried. */
const BOUND = [
  ...[Promise, WeakMap, WeakSet, WeakRef, SharedArrayBuffer],
  ...[MessagePort, AbortSignal, URL, URLSearchParams],
];
for (const Class of BOUND) {
  // Without a number: nothing can arrive as one.
  addExtension({ Class, write: () => refuse(`a ${Class.name}`) });
}

const packr = new Packr({ useRecords: true, moreTypes: true, writeFunction: refuseFunction });

/** The shapes of this isolate's messages. */
export const shapes = new Shapes();

/** A written value. Reused for the next one. */
export class WrittenValue {
  /** The memory that the value lies in, without the descriptions of its shapes. */
  memory: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  start = FRONT_BYTES;
  end = FRONT_BYTES;
  /** The shapes that the value's objects have; the first `shapeCount` are valid. */
  readonly shapes: Shape[] = [];
  shapeCount = 0;
}

let written = new WrittenValue();
let memory = written.memory;
let view = viewOf(memory);
let limit = memory.length - SLACK_BYTES;
/** Number of the message under way, by which shapes know whether it has named them. */
let message = 0;
let messages = 0;
/** The number under which shapes may be admitted; 0 inside of another message. */
let admitting = 0;
let depth = 0;
/** Values that the present one stands in. */
let nesting = 0;
/** What further objects may cost. */
let allowance = 0;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function refuseFunction(): never {
  refuse("a function");
}

function refuse(what: string): never {
  throw new TypeError(`${what} cannot be sent`);
}

function use(bytes: Buffer): void {
  memory = bytes;
  view = viewOf(bytes);
  limit = bytes.length - SLACK_BYTES;
}

/** Makes room for so many bytes behind a position. */
function reserve(at: number, bytes: number): void {
  if (at + bytes <= limit) return;
  const size = Math.max(memory.length * 2, at + bytes + 2 * SLACK_BYTES);
  if (size > BYTES_MAX) throw new RangeError("the value is too large");
  const larger = Buffer.allocUnsafeSlow(size);
  larger.set(memory.subarray(0, at));
  use(larger);
}

function nextMessage(): number {
  if (messages === MESSAGE_NUMBER_MAX) {
    messages = 0;
    shapes.forgetUse();
  }
  messages++;
  return messages;
}

/**
 * Writes a value in the value format. The answer is valid until the next call.
 *
 * @throws TypeError, RangeError and what a getter of the value throws
 */
export function writeValue(value: unknown): WrittenValue {
  if (depth > 0) return writeInside(value);
  if (memory.length > KEPT_BYTES_MAX) use(Buffer.allocUnsafeSlow(FIRST_BYTES));
  message = nextMessage();
  admitting = message;
  return fill(value);
}

function fill(value: unknown): WrittenValue {
  depth++;
  nesting = 0;
  allowance = OBJECT_COST_MAX;
  written.shapeCount = 0;
  try {
    written.end = write(value, FRONT_BYTES);
  } finally {
    depth--;
  }
  written.memory = memory;
  written.start = FRONT_BYTES;
  outgoing.add(written.end - FRONT_BYTES);
  return written;
}

/** A getter of a value that is being written sends another one: it gets memory of its own. */
function writeInside(value: unknown): WrittenValue {
  const outer = { written, memory, message, nesting, allowance };
  written = new WrittenValue();
  use(written.memory);
  message = nextMessage();
  admitting = 0; // the outer message's shapes keep their numbers
  try {
    return fill(value);
  } finally {
    written = outer.written;
    use(outer.memory);
    message = outer.message;
    nesting = outer.nesting;
    allowance = outer.allowance;
    // Shapes that the inner message named do not show any more that the outer one needs them: they
    // are named twice, and to be sure that they keep their numbers no more are given.
    admitting = 0;
  }
}

function write(value: unknown, at: number): number {
  if (at > limit) reserve(at, 0);
  switch (typeof value) {
    case "number":
      return writeNumber(value, at);
    case "string":
      return writeText(value, at);
    case "boolean":
      memory[at] = value ? MARK.true : MARK.false;
      return at + 1;
    case "undefined":
      memory[at] = MARK.undefined;
      return at + 1;
    case "object":
      return value === null ? writeMark(MARK.nil, at) : writeObject(value, at);
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) return embed(value, at);
      memory[at] = MARK.int64;
      view.setBigInt64(at + 1, value);
      return at + 9;
    default:
      throw new TypeError(`a ${typeof value} cannot be sent`);
  }
}

function writeMark(mark: number, at: number): number {
  memory[at] = mark;
  return at + 1;
}

function writeNumber(value: number, at: number): number {
  if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
    if (value >= 0) {
      if (value < MARK.shape) {
        memory[at] = value;
        return at + 1;
      }
      if (value < 0x100) {
        memory[at] = MARK.uint8;
        memory[at + 1] = value;
        return at + 2;
      }
      if (value < 0x10000) {
        memory[at] = MARK.uint16;
        memory[at + 1] = value >>> 8;
        memory[at + 2] = value;
        return at + 3;
      }
    } else if (value >= -0x20) {
      memory[at] = value;
      return at + 1;
    } else if (value >= -0x80) {
      memory[at] = MARK.int8;
      memory[at + 1] = value;
      return at + 2;
    } else if (value >= -0x8000) {
      memory[at] = MARK.int16;
      memory[at + 1] = value >>> 8;
      memory[at + 2] = value;
      return at + 3;
    }
    memory[at] = MARK.int32;
    view.setInt32(at + 1, value);
    return at + 5;
  }
  if (value >>> 0 === value && value !== 0) {
    memory[at] = MARK.uint32;
    view.setUint32(at + 1, value);
    return at + 5;
  }
  memory[at] = MARK.float64;
  view.setFloat64(at + 1, value);
  return at + 9;
}

function writeText(text: string, at: number): number {
  const length = text.length;
  if (length >= LOOPED_TEXT_MAX) return writeLongText(text, at);
  const head = length < 0x20 ? 1 : 2;
  reserve(at, 3 * LOOPED_TEXT_MAX);
  let end = at + head;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return writeLongText(text, at);
    memory[end++] = code;
  }
  if (head === 1) {
    memory[at] = MARK.text | length;
  } else {
    memory[at] = MARK.text8;
    memory[at + 1] = length;
  }
  return end;
}

/** The length's width is chosen by what the text can take: nothing has to be moved afterwards. */
function writeLongText(text: string, at: number): number {
  const bytesMax = 3 * text.length;
  reserve(at, bytesMax + 5);
  if (bytesMax < 0x100) {
    const bytes = memory.write(text, at + 2, "utf8");
    memory[at] = MARK.text8;
    memory[at + 1] = bytes;
    return at + 2 + bytes;
  }
  const head = bytesMax < 0x10000 ? 3 : 5;
  const bytes = memory.write(text, at + head, "utf8");
  if (head === 3) {
    memory[at] = MARK.text16;
    view.setUint16(at + 1, bytes);
  } else {
    memory[at] = MARK.text32;
    view.setUint32(at + 1, bytes);
  }
  return at + head + bytes;
}

function writeObject(value: object, at: number): number {
  if (nesting === VALUE_DEPTH_MAX && !isLeaf(value)) {
    throw new RangeError(`values stand in more than ${VALUE_DEPTH_MAX} others`);
  }
  nesting++;
  charge(OBJECT_COST.plain);
  const end = writeNested(value, at);
  nesting--;
  return end;
}

/** Whether nothing stands in an object, which readers then do not count either. */
function isLeaf(value: object): boolean {
  if (value instanceof Date || value instanceof RegExp || value instanceof ArrayBuffer) return true;
  return ArrayBuffer.isView(value) || value instanceof IoList;
}

/** Counts what an object costs, no less than its reader will. */
function charge(cost: number): void {
  allowance -= cost;
  if (allowance < 0) throw new RangeError("the value holds too many objects");
}

function writeNested(value: object, at: number): number {
  const kind = value.constructor;
  if (kind === Object) return writePlainObject(value as Record<string, unknown>, at);
  if (kind === Array && Array.isArray(value)) return writeArray(value as unknown[], at);
  if (kind === Uint8Array && ArrayBuffer.isView(value)) return writeBytes(value as Uint8Array, at);
  if (kind === Date && value instanceof Date) {
    memory[at] = MARK.date;
    view.setFloat64(at + 1, value.getTime());
    return at + 9;
  }
  if (kind === Map && value instanceof Map) {
    charge(OBJECT_COST.collection + OBJECT_COST.plain + OBJECT_COST.place * value.size);
    memory[at] = MARK.mapObject;
    return writeArray(pairsOf(value), at + 1);
  }
  if (kind === Set && value instanceof Set) {
    charge(OBJECT_COST.collection + OBJECT_COST.plain + OBJECT_COST.place * value.size);
    memory[at] = MARK.set;
    return writeArray([...value], at + 1);
  }
  if (value instanceof Pid) return writePid(value, at);
  if (value instanceof IoList) return writeIoList(value, at);
  // Plain too: an object that has a key of that name, and one without a prototype.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return writePlainObject(value as Record<string, unknown>, at);
  }
  return embed(value, at);
}

function writePid({ home, serial }: Pid, at: number): number {
  charge(OBJECT_COST.plain);
  memory[at] = MARK.pid;
  let end = writeText(home.node, at + 1);
  end = writeText(home.life, end);
  end = writeNumber(home.slot, end);
  end = writeNumber(home.generation, end);
  return write(serial, end);
}

function pairsOf(map: Map<unknown, unknown>): unknown[] {
  const pairs: unknown[] = [];
  for (const [key, value] of map) pairs.push(key, value);
  return pairs;
}

function writePlainObject(object: Record<string, unknown>, at: number): number {
  const shape = shapes.guess(object) ?? findShape(object);
  if (shape === undefined) return writeMap(object, at);
  charge(shape.keys.length);
  if (shape.usedBy !== message) {
    shape.usedBy = message;
    written.shapes[written.shapeCount++] = shape;
  }
  if (shape.id < MARK.shapeByte - MARK.shape) {
    memory[at] = MARK.shape | shape.id;
    return shape.write(object, at + 1, write);
  }
  memory[at] = MARK.shapeByte;
  memory[at + 1] = shape.id;
  return shape.write(object, at + 2, write);
}

function findShape(object: object): Shape | undefined {
  return shapes.find(Object.keys(object), admitting);
}

function writeMap(object: Record<string, unknown>, at: number): number {
  const keys = Object.keys(object);
  charge(2 * keys.length);
  let end = writeCount(keys.length, MARK.map, MARK.map16, at);
  for (const key of keys) {
    end = writeText(key, end);
    end = write(object[key], end);
  }
  return end;
}

function writeArray(values: unknown[], at: number): number {
  const { length } = values;
  charge(length);
  let end = writeCount(length, MARK.array, MARK.array16, at);
  for (let index = 0; index < length; index++) end = write(values[index], end);
  return end;
}

/** The head of a map or an array; the mark of a four-byte count follows that of a two-byte one. */
function writeCount(count: number, small: number, wide: number, at: number): number {
  if (count < 0x10) {
    memory[at] = small | count;
    return at + 1;
  }
  if (count < 0x10000) {
    memory[at] = wide;
    view.setUint16(at + 1, count);
    return at + 3;
  }
  memory[at] = wide + 1;
  view.setUint32(at + 1, count);
  return at + 5;
}

function writeBytes(bytes: Uint8Array, at: number): number {
  charge(OBJECT_COST.view);
  const start = writeLength(bytes.length, MARK.bytes8, at);
  memory.set(bytes, start);
  return start + bytes.length;
}

/** The bytes of all parts as one: they are brought together here, and nowhere before. */
function writeIoList({ parts, byteLength }: IoList, at: number): number {
  charge(OBJECT_COST.view);
  let end = writeLength(byteLength, MARK.bytes8, at);
  for (const part of parts) {
    memory.set(part, end);
    end += part.byteLength;
  }
  return end;
}

/** What the format has no mark for goes as MessagePack, which can be read on its own. */
function embed(value: unknown, at: number): number {
  const bytes = packr.pack(value);
  // The value counts as one of those that it stands in already; one that is no object never nests.
  charge(checkEmbedded(bytes, 0, bytes.length, Math.max(nesting - 1, 0), allowance));
  const start = writeLength(bytes.length, MARK.embedded8, at);
  memory.set(bytes, start);
  return start + bytes.length;
}

/** A mark of one byte's length, of two or of four, whose numbers follow each other. */
function writeLength(length: number, mark: number, at: number): number {
  reserve(at, length + 5);
  if (length < 0x100) {
    memory[at] = mark;
    memory[at + 1] = length;
    return at + 2;
  }
  if (length < 0x10000) {
    memory[at] = mark + 1;
    view.setUint16(at + 1, length);
    return at + 3;
  }
  memory[at] = mark + 2;
  view.setUint32(at + 1, length);
  return at + 5;
}

/** Length of {@link wholeBytes}. Unit: bytes. */
export function wholeLength(value: WrittenValue): number {
  let bytes = value.end - value.start;
  for (let index = 0; index < value.shapeCount; index++) {
    bytes += (value.shapes[index] as Shape).description.length;
  }
  return bytes;
}

/**
 * A value's bytes with the descriptions of all its shapes in front, which can be read on their own.
 * Valid as long as the value is.
 */
export function wholeBytes(value: WrittenValue): Buffer {
  const start = wholeStart(value);
  return start < 0 ? copyWhole(value) : value.memory.subarray(start, value.end);
}

/**
 * Where {@link wholeBytes} begin in the value's own memory; -1 where the descriptions do not fit in
 * there.
 */
export function wholeStart(value: WrittenValue): number {
  const start = value.end - wholeLength(value);
  if (start < 0) return -1;
  let at = start;
  for (let index = 0; index < value.shapeCount; index++) {
    const { description } = value.shapes[index] as Shape;
    value.memory.set(description, at);
    at += description.length;
  }
  return start;
}

function copyWhole(value: WrittenValue): Buffer {
  const parts: Uint8Array[] = value.shapes
    .slice(0, value.shapeCount)
    .map((shape) => shape.description);
  parts.push(value.memory.subarray(value.start, value.end));
  const bytes = wholeLength(value);
  outgoing.add(bytes);
  return Buffer.concat(parts, bytes);
}
