import { FoundationError } from "../../../dist/ts/base/errors.js";
import { decodePacked, encodeValue } from "../../../dist/ts/kernel/values.js";
import { isSame } from "./same-value.mjs";

/** What a value may be made of; anything else got in by a way that is none. */
const PROTOTYPES = new Set(
  [
    ...[
      Object,
      Array,
      Map,
      Set,
      Date,
      RegExp,
      Uint8Array,
      Int8Array,
      Uint8ClampedArray,
      Int16Array,
    ],
    ...[
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ],
    ...[
      ArrayBuffer,
      DataView,
      Error,
      EvalError,
      RangeError,
      ReferenceError,
      SyntaxError,
      TypeError,
    ],
    ...[URIError, Buffer],
  ].map((one) => one.prototype),
);

const GUARDED = [...PROTOTYPES, Function.prototype];
const NAMES = GUARDED.map((prototype) => Reflect.ownKeys(prototype).length);

/** What was added to a prototype, if anything was. @returns {string | undefined} */
export function polluted() {
  const index = GUARDED.findIndex((one, place) => Reflect.ownKeys(one).length !== NAMES[place]);
  return index < 0 ? undefined : `prototype of ${GUARDED[index]?.constructor.name}`;
}

/**
 * Walks a value; counts what it is made of.
 *
 * @param {unknown} root
 * @returns {number} parts
 */
function partsOf(root) {
  let parts = 0;
  const pending = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    parts += 1;
    if (typeof value !== "object" || value === null) continue;
    if (!PROTOTYPES.has(Object.getPrototypeOf(value))) throw new Error("a prototype of its own");
    if (value instanceof Map) pending.push(...value.keys(), ...value.values());
    else if (value instanceof Set || Array.isArray(value)) pending.push(...value);
    else if (Object.getPrototypeOf(value) === Object.prototype)
      pending.push(...Object.values(value));
  }
  return parts;
}

/** Readers with a mistake each; a check that takes one of them for right shows nothing. */
const PLANTED = {
  "a value with a prototype of its own": (/** @type {unknown} */ value) =>
    isPlain(value) ? Object.assign(Object.create({}), value) : value,
  "a list without its end": (/** @type {unknown} */ value) =>
    Array.isArray(value) ? value.slice(0, -1) : value,
  "an error without a type": (/** @type {unknown} */ value) => {
    if (value instanceof Map) throw new RangeError("a planted error");
    return value;
  },
  "a prototype that everybody has": (/** @type {unknown} */ value) => {
    if (value instanceof Set) Reflect.set(Object.prototype, "planted", true);
    return value;
  },
};

/** @param {unknown} value */
function isPlain(value) {
  return typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * Names the mistakes of {@link PLANTED} that so many inputs do not show.
 *
 * @param {import("./value-bytes.mjs").ValueBytes} inputs
 * @param {number} most
 * @returns {string[]}
 */
export function unfoundMistakes(inputs, most) {
  const isFound = (/** @type {(value: unknown) => unknown} */ change) => {
    for (let count = 0; count < most; count += 1) {
      const bytes = inputs.next();
      try {
        const place = { start: 0, end: bytes.length, original: inputs.original };
        checkValue(bytes, place, (...input) => change(decodePacked(...input)));
      } catch {
        return true;
      }
      if (polluted() !== undefined) return Reflect.deleteProperty(Object.prototype, "planted");
    }
    return false;
  };
  return Object.entries(PLANTED).flatMap(([name, change]) => (isFound(change) ? [] : [name]));
}

/**
 * Where an input lies, and what is known of it.
 *
 * @typedef {object} Place
 * @property {number} start
 * @property {number} end
 * @property {any[]} [shapes] what earlier values of a bundle have described
 * @property {{ value: unknown } | undefined} [original] what it has to be read as
 */

/**
 * Reads an input. What is refused is refused by a typed error; what is accepted is no larger than
 * its bytes allow, and written again it reads the same.
 *
 * @param {Uint8Array} bytes
 * @param {Place} place
 * @param {typeof decodePacked} decode
 * @returns {boolean} whether it was accepted
 */
export function checkValue(bytes, { start, end, shapes, original }, decode = decodePacked) {
  let value;
  try {
    value = decode(bytes, start, end, shapes);
  } catch (thrown) {
    const isRefusal = thrown instanceof FoundationError && thrown.code === "undecodable";
    if (isRefusal && original === undefined) return false;
    throw thrown;
  }
  if (original !== undefined && !isSame(value, original.value)) {
    throw new Error("another value than was written");
  }
  const parts = partsOf(value);
  // A map's entry may be two bytes; a shape's object may have more keys than it has bytes of its
  // own, each with a byte at least.
  if (parts > 1 + 2 * (end - start)) throw new Error(`${parts} parts in ${end - start} bytes`);
  const { bytes: written, encoding } = encodeValue(value);
  // Bytes, tables and nothing at all pass as they are and are no values of the format.
  if (encoding !== 2) return true;
  const again = decodePacked(Uint8Array.from(written));
  if (!isSame(again, value)) throw new Error("another value when written and read again");
  return true;
}
