/**
 * What a value may embed as MessagePack, checked before any of it is unpacked. Only the forms that
 * our own writer makes are let through: the reader of the library knows more, and some of them move
 * its position, refer to other messages, or make code.
 */
import { OBJECT_COST, OBJECT_COST_MAX, VALUE_DEPTH_MAX } from "./value-format.ts";

/** MessagePack's marks, and the extensions of the library that writes them. */
const PACK = Object.freeze({
  record: 0x40,
  map: 0x80,
  array: 0x90,
  text: 0xa0,
  nil: 0xc0,
  false: 0xc2,
  true: 0xc3,
  bytes8: 0xc4,
  bytes16: 0xc5,
  bytes32: 0xc6,
  extension8: 0xc7,
  extension16: 0xc8,
  extension32: 0xc9,
  float64: 0xcb,
  uint8: 0xcc,
  uint16: 0xcd,
  uint32: 0xce,
  uint64: 0xcf,
  int8: 0xd0,
  int64: 0xd3,
  tag: 0xd4,
  extension16Bytes: 0xd8,
  text8: 0xd9,
  text16: 0xda,
  text32: 0xdb,
  array16: 0xdc,
  array32: 0xdd,
  map16: 0xde,
  map32: 0xdf,
  negative: 0xe0,
});

const EXTENSION = Object.freeze({
  undefined: 0x00,
  bigint: 0x42,
  error: 0x65,
  record: 0x72,
  set: 0x73,
  view: 0x74,
  regexp: 0x78,
  date: 0xff,
});

/** Records that have a number at a time. */
const RECORDS_MAX = 64;
/** Views by their numbers: eleven typed arrays, then ArrayBuffer and DataView. */
const TYPED_ARRAYS = 11;
const OTHER_VIEWS: readonly number[] = [16, 17];
const DATE_BYTES: readonly number[] = [1, 4, 8, 12];

let bytes: Uint8Array = new Uint8Array(0);
let at = 0;
let end = 0;
let nesting = 0;
let cost = 0;
let costMax = 0;
/** Keys of the records that this value has defined, by number. */
const recordKeys: (number | undefined)[] = [];

function refuse(reason: string): never {
  throw new RangeError(`not an embedded value: ${reason}`);
}

/**
 * Checks that bytes are one whole embedded value, which stands in `outer` others and whose objects
 * cost no more than `costs`; answers what they cost.
 *
 * @throws RangeError
 */
export function checkEmbedded(
  of: Uint8Array,
  from: number,
  to: number,
  outer: number = 0,
  costs: number = OBJECT_COST_MAX,
): number {
  bytes = of;
  at = from;
  end = to;
  nesting = outer;
  cost = 0;
  costMax = costs;
  recordKeys.length = 0;
  try {
    check();
    if (at !== end) refuse("it ends before or behind its bytes");
    return cost;
  } finally {
    bytes = new Uint8Array(0);
  }
}

/** A number of one to four bytes; the position moves behind it. */
function readNumber(length: number): number {
  const start = skip(length);
  let number = 0;
  for (let index = start; index < at; index++) number = number * 0x100 + (bytes[index] as number);
  return number;
}

/** Moves behind so many bytes, which have to be there; answers where they begin. */
function skip(length: number): number {
  const start = at;
  at += length;
  if (at > end) refuse("a length does not fit");
  return start;
}

function charge(amount: number): void {
  cost += amount;
  if (cost > costMax) refuse("it holds too many objects");
}

function check(): void {
  const mark = readNumber(1);
  if (mark < PACK.record || mark >= PACK.negative) return;
  if (mark < PACK.map) return checkRecord(mark - PACK.record);
  if (mark < PACK.array) return checkMap(mark & 0xf);
  if (mark < PACK.text) return checkItems(mark & 0xf, OBJECT_COST.plain);
  if (mark < PACK.nil) return void skip(mark & 0x1f);
  switch (mark) {
    case PACK.nil:
    case PACK.false:
    case PACK.true:
      return;
    case PACK.bytes8:
    case PACK.bytes16:
    case PACK.bytes32:
      charge(OBJECT_COST.view);
      return void skip(readNumber(1 << (mark - PACK.bytes8)));
    case PACK.extension8:
    case PACK.extension16:
    case PACK.extension32:
      return checkExtension(readNumber(1 << (mark - PACK.extension8)));
    case PACK.float64:
    case PACK.uint64:
    case PACK.int64:
      return void skip(8);
    case PACK.tag:
      return checkTag();
    case PACK.text8:
    case PACK.text16:
    case PACK.text32:
      return void skip(readNumber(1 << (mark - PACK.text8)));
    case PACK.array16:
    case PACK.array32:
      return checkItems(readNumber(2 << (mark - PACK.array16)), OBJECT_COST.plain);
    case PACK.map16:
    case PACK.map32:
      return checkMap(readNumber(2 << (mark - PACK.map16)));
    default:
      return checkRest(mark);
  }
}

function checkRest(mark: number): void {
  if (mark >= PACK.uint8 && mark <= PACK.uint32) return void skip(1 << (mark - PACK.uint8));
  if (mark >= PACK.int8 && mark < PACK.int64) return void skip(1 << (mark - PACK.int8));
  if (mark > PACK.tag && mark <= PACK.extension16Bytes) {
    return checkExtension(1 << (mark - PACK.tag));
  }
  refuse("a mark is unknown");
}

/** Values that stand in the present one. Each takes a byte at least, so no count is believed. */
function checkItems(count: number, amount: number): void {
  if (count > end - at) refuse("more values are announced than there are bytes");
  charge(amount + count);
  if (++nesting > VALUE_DEPTH_MAX) refuse(`values stand in more than ${VALUE_DEPTH_MAX} others`);
  for (let index = 0; index < count; index++) check();
  nesting--;
}

function checkMap(count: number): void {
  checkItems(2 * count, OBJECT_COST.collection + OBJECT_COST.place * count);
}

function checkRecord(number: number): void {
  const keys = recordKeys[number];
  if (keys === undefined) refuse("a record was not defined");
  checkItems(keys, OBJECT_COST.plain);
}

/** An extension of a stated length: bytes that stand for themselves. */
function checkExtension(length: number): void {
  const kind = readNumber(1);
  const start = skip(length);
  switch (kind) {
    case EXTENSION.bigint:
      if (length === 0) refuse("a number has no bytes");
      return charge(OBJECT_COST.plain);
    case EXTENSION.date:
      if (!DATE_BYTES.includes(length)) refuse("a date has another length");
      return charge(OBJECT_COST.plain);
    case EXTENSION.view: {
      const view = length === 0 ? -1 : (bytes[start] as number);
      if (view < TYPED_ARRAYS ? view < 0 : !OTHER_VIEWS.includes(view)) refuse("no such view");
      return charge(OBJECT_COST.view);
    }
    default:
      refuse("an extension is unknown");
  }
}

/** A tag of one byte, which says what the next value is; some tags are the value themselves. */
function checkTag(): void {
  const kind = readNumber(1);
  const filler = readNumber(1);
  switch (kind) {
    case EXTENSION.undefined:
      return;
    case EXTENSION.bigint:
    case EXTENSION.date:
      return charge(OBJECT_COST.plain);
    case EXTENSION.set: {
      const count = readArrayHead();
      return checkItems(count, OBJECT_COST.collection + OBJECT_COST.place * count);
    }
    case EXTENSION.error:
      return checkList(3, OBJECT_COST.error);
    case EXTENSION.regexp:
      return checkList(2, OBJECT_COST.view);
    case EXTENSION.record:
      return checkDefinition(filler);
    default:
      refuse("an extension is unknown");
  }
}

/** The array behind a tag that says how many values it has. */
function checkList(count: number, amount: number): void {
  if (readArrayHead() !== count) refuse("a list has another length");
  checkItems(count, amount);
}

function readArrayHead(): number {
  const mark = readNumber(1);
  if (mark >= PACK.array && mark < PACK.text) return mark & 0xf;
  if (mark === PACK.array16 || mark === PACK.array32) return readNumber(2 << (mark - PACK.array16));
  return refuse("what has to be an array is none");
}

/** A record defines its keys, and is the first object that has them. */
function checkDefinition(mark: number): void {
  const number = mark - PACK.record;
  if (number < 0 || number >= RECORDS_MAX) refuse("no such record");
  const keys = readArrayHead();
  if (keys > end - at) refuse("more values are announced than there are bytes");
  charge(OBJECT_COST.definition);
  for (let index = 0; index < keys; index++) checkText();
  recordKeys[number] = keys;
  checkItems(keys, OBJECT_COST.plain);
}

function checkText(): void {
  const mark = readNumber(1);
  if (mark >= PACK.text && mark < PACK.nil) return void skip(mark & 0x1f);
  if (mark < PACK.text8 || mark > PACK.text32) refuse("a key is no text");
  skip(readNumber(1 << (mark - PACK.text8)));
}
