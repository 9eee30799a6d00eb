/**
 * The value format's marks (docs/protocol.md, "Values"). Where a mark means the same in MessagePack
 * it has the same number; multi-byte numbers are big endian as there.
 */
export const MARK = Object.freeze({
  /** An object of a shape: the mark holds numbers 0 to 62; with 0x7f a byte follows. */
  shape: 0x40,
  shapeByte: 0x7f,
  /** An object with its keys in place: count, then key and value in turn. */
  map: 0x80,
  array: 0x90,
  text: 0xa0,
  nil: 0xc0,
  /** Describes a shape, ahead of a value: number, u16 bytes of the keys, the keys. */
  description: 0xc1,
  false: 0xc2,
  true: 0xc3,
  bytes8: 0xc4,
  bytes16: 0xc5,
  bytes32: 0xc6,
  /** What only MessagePack has: its length, then the value as MessagePack. */
  embedded8: 0xc7,
  embedded16: 0xc8,
  embedded32: 0xc9,
  /** A pid: node, life, slot, generation and serial follow as values. */
  pid: 0xca,
  float64: 0xcb,
  uint8: 0xcc,
  uint16: 0xcd,
  uint32: 0xce,
  int8: 0xd0,
  int16: 0xd1,
  int32: 0xd2,
  int64: 0xd3,
  undefined: 0xd4,
  /** Milliseconds since 1970 as a float64; NaN for an invalid date. */
  date: 0xd5,
  /** Followed by an array of the members. */
  set: 0xd6,
  /** Followed by an array of keys and values in turn. */
  mapObject: 0xd7,
  text8: 0xd9,
  text16: 0xda,
  text32: 0xdb,
  array16: 0xdc,
  array32: 0xdd,
  map16: 0xde,
  map32: 0xdf,
  negative: 0xe0,
});

/**
 * Objects, arrays, maps and sets that may stand within one another: far above what people write,
 * far below what the stack of a handler that walks the value takes.
 */
export const VALUE_DEPTH_MAX = 512;
/**
 * What the objects of one value may cost together: 64 MiB, four times the largest message. An empty
 * object is a byte on the wire, so without a limit 16 MiB would unfold to more than a gigabyte.
 * Unit: words of 8 bytes.
 */
export const OBJECT_COST_MAX = 1 << 23;
/** What an object costs beside a word for each value in it, rounded up. Unit: words of 8 bytes. */
export const OBJECT_COST = Object.freeze({
  /** An object or an array, a date, a long integer. */
  plain: 8,
  /** A map or a set, and what each of its places takes beside the value. */
  collection: 32,
  place: 3,
  /** Bytes, a typed array, a regular expression. */
  view: 32,
  /** An error, which keeps a stack. */
  error: 128,
  /** Keys of a record, for which code may be made. */
  definition: 512,
});
/** Shapes that have a number at a time. */
export const SHAPES_MAX = 256;
/** Keys of a shape. An object with more carries its keys itself. */
export const SHAPE_KEYS_MAX = 512;
/** A shape's keys with their lengths, as they are on the wire. Unit: bytes. */
export const SHAPE_BYTES_MAX = 4096;
/** Longest key of a shape: its length is one byte. Unit: bytes. */
export const KEY_BYTES_MAX = 255;
/** Mark, number and u16 length in front of a description's keys. Unit: bytes. */
export const DESCRIPTION_HEAD_BYTES = 4;
/** A shape with more keys is read and written in a loop: so much generated code gains little. */
export const GENERATED_KEYS_MAX = 128;

let mayGenerate = true;

/**
 * Code for one shape, made from the text of a function's body. `undefined` where the process
 * forbids it (`--disallow-code-generation-from-strings`): then a loop does the same.
 */
export function generate<T>(
  names: readonly string[],
  body: string,
  ...values: unknown[]
): T | undefined {
  if (!mayGenerate) return undefined;
  try {
    // Only keys get into the text, and those as JSON string literals.
    return new Function(...names, body)(...values) as T;
  } catch {
    mayGenerate = false;
    return undefined;
  }
}
