import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { decodeValue, ENCODING, encodeValue } from "../../ts/kernel/values.ts";

/** Values that can be said, `__proto__` keys left out: they arrive under another name. */
const value = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: false,
  key: fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__"),
  values: [
    fc.constant(null),
    fc.constant(undefined),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array(),
    fc.date({ noInvalidDate: true }),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  ],
});

/** Whatever the decoder made of the bytes, prototypes and the decoder itself are as before. */
function expectUnharmed(): void {
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(NAMES);
  expect(Object.getOwnPropertyNames(Array.prototype)).toEqual(ARRAY_NAMES);
  expect(Object.keys({})).toEqual([]);
  const probe = { id: 1, list: ["a", { b: null }] };
  expect(decodeValue(encodeValue(probe).bytes.slice(), ENCODING.packed)).toEqual(probe);
}

const NAMES = Object.getOwnPropertyNames(Object.prototype);
const ARRAY_NAMES = Object.getOwnPropertyNames(Array.prototype);

/** True: a value came out. False: the one documented refusal did. */
function decodes(bytes: Uint8Array): boolean {
  try {
    decodeValue(bytes, ENCODING.packed);
    return true;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(FoundationError);
    expect((thrown as FoundationError).code).toBe("undecodable");
    return false;
  }
}

describe("messages", () => {
  test("come back as they were sent", () => {
    fc.assert(
      fc.property(value, (sent) => {
        const { bytes, encoding } = encodeValue(sent);
        const isOwnBytes = encoding === ENCODING.bytes;
        const back = decodeValue(isOwnBytes ? bytes : bytes.slice(), encoding);
        expect(back).toEqual(sent);
      }),
      { numRuns: 2_000 },
    );
  });

  test("can be read anywhere in a larger piece of memory", () => {
    const margin = fc.nat({ max: 64 });
    const json = fc.jsonValue().filter((sent) => !JSON.stringify(sent).includes("__proto__"));
    fc.assert(
      fc.property(json, margin, margin, (sent, before, after) => {
        const { bytes } = encodeValue(sent);
        const memory = new Uint8Array(before + bytes.length + after).fill(0xc1);
        memory.set(bytes, before);
        const part = memory.subarray(before, before + bytes.length);
        expect(decodeValue(part, ENCODING.packed)).toEqual(sent);
      }),
    );
  });
});

describe("hostile bytes", () => {
  test("at random are refused or become a value, and harm nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void decodes(bytes)),
      { numRuns: 20_000 },
    );
    expectUnharmed();
  });

  test("made of the format's own parts are refused or become a value, and harm nothing", () => {
    const names = ["__proto__", "constructor", "prototype", "toString", "valueOf", "then", "a"];
    const text = fc
      .constantFrom(...names)
      .map((name) => [0xa0 + name.length, ...Buffer.from(name)]);
    const description = fc
      .tuple(fc.nat({ max: 3 }), fc.subarray(names, { minLength: 1 }))
      .map(([id, keys]) => {
        const bytes = keys.flatMap((key) => [key.length, ...Buffer.from(key)]);
        return [0xc1, id, 0, bytes.length, ...bytes];
      });
    // Embedded extensions by number: error, identity, pointer, set, typed array, bundle and more.
    const embedded = fc
      .tuple(
        fc.constantFrom(0xd4, 0xd5, 0xd6, 0xd7, 0xc7),
        fc.constantFrom(0x65, 0x69, 0x70, 0x73, 0x74, 0x62, 0x78, 0xff, 0x42, 0x52, 0, 0x72),
        fc.uint8Array({ minLength: 0, maxLength: 16 }),
      )
      .map(([head, type, body]) =>
        head === 0xc7 ? [head, body.length, type, ...body] : [head, type, ...body],
      )
      .map((value) => [0xc7, value.length, ...value]);
    const part = fc.oneof(
      text,
      embedded,
      fc.integer({ min: 0, max: 255 }).map((byte) => [byte]),
      fc.constantFrom([0x81], [0x82], [0x91], [0x92], [0xc0], [0x40], [0x41], [0xd6], [0xd7]),
    );
    const message = fc.tuple(
      fc.array(description, { maxLength: 3 }),
      fc.array(part, { minLength: 1, maxLength: 40 }),
    );
    let decoded = 0;
    fc.assert(
      fc.property(message, (parts) => {
        if (decodes(Uint8Array.from(parts.flat(2)))) decoded++;
      }),
      { numRuns: 20_000 },
    );
    expectUnharmed();
    expect(decoded).toBeGreaterThan(0);
  });

  test("that were a message before one of them changed are refused or become another value", () => {
    const flip = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(value, fc.array(flip, { minLength: 1, maxLength: 4 }), (sent, flips) => {
        const bytes = encodeValue({ sent }).bytes.slice();
        for (const { at, to } of flips) bytes[at % bytes.length] = to;
        decodes(bytes);
      }),
      { numRuns: 10_000 },
    );
    expectUnharmed();
  });

  test("that were a message before it was cut short are refused", () => {
    fc.assert(
      fc.property(value, fc.nat(), (sent, at) => {
        const { bytes } = encodeValue({ sent });
        expect(decodes(bytes.slice(0, at % bytes.length))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
