import { MARK } from "../../../dist/ts/kernel/value-format.js";
import { ENCODING, encodeValue } from "../../../dist/ts/kernel/values.js";

/** Encodings to change, at a time; others take their place as the run goes on. */
const SAMPLES = 256;
/** Longest input. Unit: bytes. */
const BYTES_MAX = 4096;
const MARKS = Object.values(MARK);
const KEYS = [
  "id",
  "name",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "a",
  "",
  "x".repeat(60),
];
const NUMBERS = [
  0,
  1,
  -1,
  63,
  64,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -0,
  0.5,
];
const TEXTS = ["", "t", "text", "tëxt", "tëxt\u{1f600}", "a longer text of several words"];
const LENGTHS = [0, 1, 0x1f, 0x7f, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** Any value that a sender may write. @param {() => number} random @param {number} depth */
export function anyValue(random, depth = 0) {
  const below = (/** @type {number} */ limit) => Math.floor(random() * limit);
  const several = () => Array.from({ length: below(5) }, () => anyValue(random, depth + 1));
  const kind = below(depth > 4 ? 8 : 15);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return NUMBERS[below(NUMBERS.length)];
    case 3:
      return TEXTS[below(TEXTS.length)]?.repeat(1 + below(9));
    case 4:
      return new Uint8Array(below(40)).fill(below(256));
    case 5:
      return new Date(below(3) === 0 ? Number.NaN : below(2 ** 40));
    case 6:
      return [1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n][below(5)];
    case 7:
      return undefined;
    case 8:
      return new Map(several().map((value, index) => [KEYS[index] ?? index, value]));
    case 9:
      return new Set(several());
    case 10:
      return [new Error("e"), new RangeError("r"), /x/gi, new Float64Array(2), new Int16Array(3)][
        below(5)
      ];
    case 11:
    case 12:
      return several();
    default:
      return anyObject(several(), below);
  }
}

/**
 * Objects of equal keys make shapes.
 *
 * @param {unknown[]} values
 * @param {(limit: number) => number} below
 */
function anyObject(values, below) {
  const first = below(KEYS.length);
  const entries = values.map((value, index) => [KEYS[(first + index) % KEYS.length], value]);
  // Assigning `__proto__` would set a prototype; an entry is an entry.
  const object = Object.fromEntries(entries);
  return below(3) === 0 ? [object, { ...object }, object] : object;
}

/** A value as its receiver has it: the one key that would reach a prototype has another name. */
export function asReceived(/** @type {unknown} */ value) {
  if (Array.isArray(value)) return value.map(asReceived);
  if (value instanceof Set) return new Set([...value].map(asReceived));
  if (value instanceof Map) {
    return new Map([...value].map((pair) => /** @type {[unknown, unknown]} */ (asReceived(pair))));
  }
  if (typeof value !== "object" || Object.getPrototypeOf(value ?? 0) !== Object.prototype)
    return value;
  const entries = Object.entries(/** @type {object} */ (value));
  return Object.fromEntries(
    entries.map(([key, part]) => [key === "__proto__" ? "__proto_" : key, asReceived(part)]),
  );
}

/** Inputs for the reader: encodings of values, changed where the format says something. */
export class ValueBytes {
  #random;
  /** @type {{ bytes: Uint8Array, value: unknown }[]} */
  #samples = [];
  /** What the input made last has to be read as; `undefined` where it was changed. */
  original = /** @type {{ value: unknown } | undefined} */ (undefined);
  #oldest = 0;
  #bytes = new Uint8Array(2 * BYTES_MAX);
  #length = 0;

  /** @param {() => number} random */
  constructor(random) {
    this.#random = random;
    while (this.#samples.length < SAMPLES) this.#samples.push(this.#sample());
  }

  #below(/** @type {number} */ limit) {
    return Math.floor(this.#random() * limit);
  }

  #sample() {
    for (;;) {
      const value = anyValue(this.#random);
      const { encoding, bytes } = encodeValue(value);
      if (encoding !== ENCODING.packed || bytes.length > BYTES_MAX / 2) continue;
      return { bytes: Uint8Array.from(bytes), value: asReceived(value) };
    }
  }

  #pick() {
    return /** @type {{ bytes: Uint8Array, value: unknown }} */ (
      this.#samples[this.#below(SAMPLES)]
    );
  }

  /** The next input, in memory of its own. @returns {Uint8Array} */
  next() {
    if (this.#below(64) === 0) {
      this.#samples[this.#oldest] = this.#sample();
      this.#oldest = (this.#oldest + 1) % SAMPLES;
    }
    const sample = this.#pick();
    this.#bytes.set(sample.bytes);
    this.#length = sample.bytes.length;
    const changes = this.#below(4);
    this.original = changes === 0 ? sample : undefined;
    for (let count = 0; count < changes; count += 1) this.#change();
    return this.#bytes.slice(0, Math.min(this.#length, BYTES_MAX));
  }

  #change() {
    const at = this.#below(this.#length + 1);
    const bytes = this.#bytes;
    switch (this.#below(11)) {
      case 0:
      case 1:
        bytes[at] = this.#below(256);
        break;
      case 2:
        bytes[at] = /** @type {number} */ (MARKS[this.#below(MARKS.length)]) + this.#below(3);
        break;
      case 3:
        this.#writeLength(at);
        break;
      case 4:
        this.#length = at;
        break;
      case 5:
        this.#insert(at, this.#pick().bytes);
        break;
      case 6: {
        const stop = Math.min(this.#length, at + 1 + this.#below(16));
        bytes.copyWithin(at, stop, this.#length);
        this.#length -= stop - at;
        break;
      }
      case 7:
        this.#insert(at, this.#bytes.slice(at, at + this.#below(64)));
        break;
      case 8:
        this.#insert(0, this.#description());
        break;
      case 9:
        this.#insert(at, this.#nested());
        break;
      default:
        bytes[at] = this.#below(2) === 0 ? MARK.shape + this.#below(64) : MARK.shapeByte;
    }
    if (this.#length === 0) this.#length = 1;
  }

  /** A mark with a length that may be a lie. */
  #writeLength(/** @type {number} */ at) {
    const wide = [MARK.array32, MARK.map32, MARK.text32, MARK.bytes32, MARK.embedded32];
    const short = [MARK.array16, MARK.map16, MARK.text16, MARK.bytes16, MARK.embedded16];
    const isWide = this.#below(2) === 0;
    const marks = isWide ? wide : short;
    const length = /** @type {number} */ (LENGTHS[this.#below(LENGTHS.length)]);
    const said = this.#below(3) === 0 ? this.#below(8) : length;
    this.#bytes[at] = /** @type {number} */ (marks[this.#below(marks.length)]);
    const view = new DataView(this.#bytes.buffer);
    if (isWide) view.setUint32(at + 1, said);
    else view.setUint16(at + 1, said & 0xffff);
  }

  /** A description of a shape, of keys that may mean something to objects. */
  #description() {
    const keys = Array.from({ length: this.#below(4) }, () => KEYS[this.#below(KEYS.length)] ?? "");
    const parts = keys.flatMap((key) => [key.length, ...Buffer.from(key)]);
    const length = this.#below(8) === 0 ? this.#below(65_536) : parts.length;
    const id = this.#below(3) === 0 ? this.#below(256) : this.#below(4);
    return Uint8Array.from([MARK.description, id, length >> 8, length & 0xff, ...parts]);
  }

  /** The beginnings of values within one another. */
  #nested() {
    const heads = [[0x91], [0x81, 0xa1, 0x61], [MARK.set, 0x91], [MARK.mapObject, 0x92, 1], [0x40]];
    const head = /** @type {number[]} */ (heads[this.#below(heads.length)]);
    const depth = this.#below(16) === 0 ? 500 + this.#below(30) : this.#below(8);
    return Uint8Array.from(
      { length: depth * head.length },
      (_, index) => head[index % head.length] ?? 0,
    );
  }

  #insert(/** @type {number} */ at, /** @type {Uint8Array} */ part) {
    const count = Math.min(part.length, BYTES_MAX - this.#length);
    if (count <= 0) return;
    this.#bytes.copyWithin(at + count, at, this.#length);
    this.#bytes.set(part.subarray(0, count), at);
    this.#length += count;
  }
}
