import { Unpackr } from "msgpackr/unpack";
import { FoundationError } from "../base/errors.ts";
import { Pid } from "../base/pid.ts";
import { checkEmbedded } from "./embedded.ts";
import { type ReadShape, ReadShapes } from "./read-shapes.ts";
import { readShortText, SHORT_TEXT_MAX } from "./short-text.ts";
import {
  DESCRIPTION_HEAD_BYTES,
  MARK,
  OBJECT_COST,
  OBJECT_COST_MAX,
  VALUE_DEPTH_MAX,
} from "./value-format.ts";

const unpackr = new Unpackr({ useRecords: true, moreTypes: true, copyBuffers: true });

/** An error of the class `valueOf`, as MessagePack. */
const ERROR_OF_VALUE_OF = Buffer.from("d4650093a776616c75654f66a161c0", "hex");

/**
 * msgpackr looks classes of errors up in an ordinary object, so inherited names are found too, and
 * the one above hands that very object out. Without a prototype it holds the classes and nothing
 * else, and any other name makes a plain error.
 */
function closeErrorClasses(): void {
  const classes: unknown = unpackr.unpack(ERROR_OF_VALUE_OF);
  if (classes instanceof Error || typeof classes !== "object" || classes === null) return;
  Object.freeze(Object.setPrototypeOf(classes, null));
}
closeErrorClasses();

/** Source memory above this is not kept between messages. Unit: bytes. */
const KEPT_BYTES_MAX = 64 << 10;
const TOO_MANY = "the value holds too many objects";
/** A constant of its own: every object pays it. */
const PLAIN_COST = OBJECT_COST.plain;
const NO_BYTES = Buffer.alloc(0);

/** Shapes by number, as a message or a bundle has described them. */
export type DescribedShapes = (ReadShape | undefined)[];

const known = new ReadShapes(read);
/** For values that stand alone; empty between them. */
const own: DescribedShapes = [];

/** The memory that was given last, and as a Buffer. */
let given: Uint8Array = NO_BYTES;
let source: Buffer = NO_BYTES;
let view = viewOf(NO_BYTES);
let position = 0;
let end = 0;
let described: DescribedShapes = own;
/** Values that arrays and maps may still announce: each takes a byte of the source at least. */
let announced = 0;
/** Values that the present one stands in. */
let nesting = 0;
/** What further objects may cost. */
let allowance = 0;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fail(reason: string): never {
  throw new FoundationError("undecodable", `not a valid value: ${reason}`);
}

/**
 * Reads one value with the descriptions in front of it. In a bundle, `shapes` carries what was
 * described from one value to the next.
 *
 * @throws FoundationError `undecodable`, RangeError and what msgpackr throws, for bytes that are
 * not one whole value
 */
export function readValue(
  bytes: Uint8Array,
  from: number,
  to: number,
  shapes?: DescribedShapes,
): unknown {
  if (given !== bytes) use(bytes);
  position = from;
  end = to;
  announced = to - from;
  nesting = 0;
  allowance = OBJECT_COST_MAX;
  described = shapes ?? own;
  try {
    while (source[position] === MARK.description) readDescription();
    const value = read();
    if (position !== end) fail("the value ends before or behind its bytes");
    return value;
  } finally {
    if (shapes === undefined) own.length = 0;
    if (source.length > KEPT_BYTES_MAX) use(NO_BYTES);
  }
}

function use(bytes: Uint8Array): void {
  given = bytes;
  source = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view = viewOf(source);
}

function readDescription(): void {
  const start = position + DESCRIPTION_HEAD_BYTES;
  if (start > end) fail("a description is cut short");
  const id = source[position + 1] as number;
  const length = view.getUint16(position + 2);
  if (start + length > end) fail("a description is cut short");
  const shape = known.find(source, start, length, id);
  if (shape === undefined) fail("a description is malformed");
  described[id] = shape;
  position = start + length;
}

function read(): unknown {
  const mark = source[position++] as number;
  if (mark < MARK.map) {
    if (mark < MARK.shape) return mark;
    return readShaped(mark === MARK.shapeByte ? (source[position++] as number) : mark & 0x3f);
  }
  if (mark < MARK.nil) {
    if (mark >= MARK.text) return readText(mark & 0x1f);
    return mark < MARK.array ? readMap(mark & 0xf) : readArray(mark & 0xf);
  }
  if (mark >= MARK.negative) return mark - 0x100;
  switch (mark) {
    case MARK.nil:
      return null;
    case MARK.false:
      return false;
    case MARK.true:
      return true;
    case MARK.undefined:
      return undefined;
    case MARK.float64:
      position += 8;
      return view.getFloat64(position - 8);
    case MARK.uint8:
      return source[position++];
    case MARK.uint16:
      return readUint16();
    case MARK.text8:
      return readText(source[position++] as number);
    case MARK.text16:
      return readText(readUint16());
    case MARK.array16:
      return readArray(readUint16());
    default:
      return readRarer(mark);
  }
}

function readUint16(): number {
  position += 2;
  return view.getUint16(position - 2);
}

function readUint32(): number {
  position += 4;
  return view.getUint32(position - 4);
}

function readRarer(mark: number): unknown {
  switch (mark) {
    case MARK.uint32:
      return readUint32();
    case MARK.int8:
      return view.getInt8(position++);
    case MARK.int16:
      return (readUint16() << 16) >> 16;
    case MARK.int32:
      return readUint32() | 0;
    case MARK.int64:
      position += 8;
      return view.getBigInt64(position - 8);
    case MARK.date:
      position += 8;
      charge(OBJECT_COST.plain);
      return new Date(view.getFloat64(position - 8));
    case MARK.set:
      return new Set(readList(1));
    case MARK.mapObject:
      return readMapObject();
    case MARK.text32:
      return readText(readUint32());
    case MARK.array32:
      return readArray(readUint32());
    case MARK.map16:
      return readMap(readUint16());
    case MARK.map32:
      return readMap(readUint32());
    case MARK.bytes8:
      return readBytes(source[position++] as number);
    case MARK.bytes16:
      return readBytes(readUint16());
    case MARK.bytes32:
      return readBytes(readUint32());
    case MARK.pid:
      return readPid();
    case MARK.embedded8:
      return readEmbedded(source[position++] as number);
    case MARK.embedded16:
      return readEmbedded(readUint16());
    case MARK.embedded32:
      return readEmbedded(readUint32());
    default:
      return fail("a mark is unknown");
  }
}

function readShaped(id: number): unknown {
  const shape = described[id];
  if (shape === undefined) fail("a shape was not described");
  enter(shape.size);
  const object = shape.read();
  nesting--;
  return object;
}

/** Begins an object or array with room for so many values. */
function enter(values: number): void {
  allowance -= PLAIN_COST + values;
  if (++nesting > VALUE_DEPTH_MAX || allowance < 0) refuseObject();
}

function refuseObject(): never {
  if (allowance < 0) fail(TOO_MANY);
  fail(`values stand in more than ${VALUE_DEPTH_MAX} others`);
}

function charge(cost: number): void {
  allowance -= cost;
  if (allowance < 0) fail(TOO_MANY);
}

/** Counts what an array or a map announces, so that nested ones claim no more than is there. */
function announce(values: number): void {
  announced -= values;
  if (announced < 0) fail("more values are announced than there are bytes");
}

function readArray(length: number): unknown[] {
  announce(length);
  enter(length);
  const values = new Array<unknown>(length);
  for (let index = 0; index < length; index++) values[index] = read();
  nesting--;
  return values;
}

function readMap(count: number): Record<string, unknown> {
  announce(2 * count);
  enter(2 * count);
  const object: Record<string, unknown> = {};
  for (let index = 0; index < count; index++) {
    const key = read();
    if (typeof key !== "string") fail("a key is no text");
    object[key === "__proto__" ? "__proto_" : key] = read();
  }
  nesting--;
  return object;
}

function readPid(): Pid {
  charge(2 * OBJECT_COST.plain);
  const node = read();
  const life = read();
  const [slot, generation, serial] = [read(), read(), read()];
  if (typeof node !== "string" || typeof life !== "string") fail("a pid's home is no text");
  if (!isNatural(slot) || !isNatural(generation) || !isNatural(serial)) {
    fail("a pid's place is no number");
  }
  return new Pid({ node, life, slot, generation }, serial);
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The array behind a set or a map, of which so many values share a place there. */
function readList(valuesOfPlace: number): unknown[] {
  const values = read();
  if (!Array.isArray(values)) fail("what has to be an array is none");
  charge(OBJECT_COST.collection + (OBJECT_COST.place * values.length) / valuesOfPlace);
  return values as unknown[];
}

function readMapObject(): Map<unknown, unknown> {
  const pairs = readList(2);
  if (pairs.length % 2 === 1) fail("a key has no value");
  const map = new Map<unknown, unknown>();
  for (let index = 0; index < pairs.length; index += 2) map.set(pairs[index], pairs[index + 1]);
  return map;
}

/** Where a run of bytes ends; the position moves behind it. */
function take(length: number): number {
  position += length;
  if (!(position <= end)) fail("a length does not fit");
  return position;
}

function readBytes(length: number): Uint8Array {
  const stop = take(length);
  charge(OBJECT_COST.view);
  const bytes = new Uint8Array(length);
  bytes.set(source.subarray(stop - length, stop));
  return bytes;
}

function readEmbedded(length: number): unknown {
  const stop = take(length);
  charge(checkEmbedded(source, stop - length, stop, nesting, allowance));
  // In memory of its own: what lies beside the value may be of another sender.
  const alone = Buffer.allocUnsafeSlow(length);
  source.copy(alone, 0, stop - length, stop);
  return unpackr.unpack(alone);
}

function readText(length: number): string {
  const start = position;
  const stop = take(length);
  const short = length <= SHORT_TEXT_MAX ? readShortText(source, start, length) : undefined;
  return short ?? source.toString("utf8", start, stop);
}
