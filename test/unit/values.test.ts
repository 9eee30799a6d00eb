import { Builder, type ByteBuffer } from "flatbuffers";
import { describe, expect, test } from "vitest";
import { decodeValue, ENCODING, encodeValue, FlatTable } from "../../ts/kernel/values.ts";

/** Encodes, moves the bytes as the wire would, and decodes. */
function roundTrip(value: unknown): unknown {
  const { bytes, encoding } = encodeValue(value);
  return decodeValue(bytes.slice(), encoding);
}

const refused = (code: string): unknown => expect.objectContaining({ code });

describe("a value comes back as it was sent", () => {
  test.each<[string, unknown]>([
    ["null", null],
    ["booleans", [true, false]],
    [
      "whole numbers at the borders of their formats",
      [0, -1, 127, 128, -32, -33, 2 ** 32, -(2 ** 53)],
    ],
    ["other numbers", [0.1, -1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE]],
    ["large integers", [2n ** 63n, -(2n ** 70n), 10n]],
    ["text of every width", ["", "a", "é", "漢字", "😀", "x".repeat(70_000)]],
    ["dates", new Date(1_234_567_890_123)],
    [
      "sets and maps",
      [
        new Set([1, "a"]),
        new Map<unknown, unknown>([
          [1, { a: 1 }],
          ["b", null],
        ]),
      ],
    ],
    ["regular expressions", /a+/giu],
    ["bytes inside of objects", { bytes: new Uint8Array([1, 2, 3]) }],
    ["typed arrays", { floats: new Float32Array([1.5, -2]), wide: new BigInt64Array([-1n]) }],
    ["undefined inside of objects", { a: undefined, list: [undefined, 1] }],
    [
      "objects of one shape, many times",
      Array.from({ length: 50 }, (_, id) => ({ id, name: "n" })),
    ],
    ["keys that are no identifiers", { "": 1, "a-b": 2, "0": 3, ключ: 4, 'quo"te': 5 }],
    ["keys that name parts of prototypes", { constructor: { prototype: { a: 1 } }, toString: "t" }],
  ])("%s", (_name, value) => {
    expect(roundTrip(value)).toEqual(value);
  });

  test("an error keeps its class and message, not its stack", () => {
    const sent = new TypeError("wrong");
    expect(sent.stack).toContain("values.test");
    expect(Buffer.from(encodeValue(sent).bytes).toString("latin1")).not.toContain("values.test");
    const back = roundTrip(sent);
    expect(back).toBeInstanceOf(TypeError);
    expect((back as Error).message).toBe("wrong");
  });

  test("nothing is no bytes at all", () => {
    expect(encodeValue(undefined)).toMatchObject({
      encoding: ENCODING.nothing,
      bytes: { length: 0 },
    });
    expect(roundTrip(undefined)).toBeUndefined();
  });

  test("bytes pass as they are, uncopied", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    expect(encodeValue(bytes)).toEqual({ encoding: ENCODING.bytes, bytes });
    expect(encodeValue(bytes).bytes).toBe(bytes);
    expect(encodeValue(Buffer.from("ab")).encoding).toBe(ENCODING.bytes);
  });

  test("a FlatBuffers table is read in place, from a builder as from bytes", () => {
    const builder = new Builder(64);
    builder.startObject(1);
    builder.addFieldInt32(0, 42, 0);
    builder.finish(builder.endObject());
    const fieldOf = (buffer: ByteBuffer): number => {
      const table = buffer.position() + buffer.readInt32(buffer.position());
      return buffer.readInt32(table + buffer.__offset(table, 4));
    };
    for (const sent of [builder, new FlatTable(builder.asUint8Array())]) {
      expect(encodeValue(sent).encoding).toBe(ENCODING.flatBuffers);
      const back = roundTrip(sent);
      expect(back).toBeInstanceOf(FlatTable);
      expect((back as FlatTable).read(fieldOf)).toBe(42);
    }
  });
});

describe("what cannot be sent", () => {
  const endless: Record<string, unknown> = {};
  endless["self"] = endless;
  const throwing = {
    get trap(): never {
      throw new Error("a getter throws");
    },
  };

  test.each<[string, unknown]>([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a symbol inside of an object", { s: Symbol("s") }],
    ["an object that holds itself", endless],
    ["an object whose getter throws", throwing],
  ])("%s is refused with the code unencodable", (_name, value) => {
    expect(() => encodeValue(value)).toThrow(refused("unencodable"));
    // The encoder is shared by all messages of an isolate: the next one must come out whole.
    expect(roundTrip({ next: [1, 2] })).toEqual({ next: [1, 2] });
  });
});

describe("prototypes are out of reach of a message", () => {
  test("__proto__ arrives as a plain key of another name", () => {
    const back = roundTrip(JSON.parse('{"__proto__": {"polluted": 1}, "a": 2}'));
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back).toEqual({ __proto_: { polluted: 1 }, a: 2 });
  });

  test("in a record's description, written by hand", () => {
    const name = [0xa9, ...Buffer.from("__proto__")];
    const bytes = [0xd4, 0x72, 0x40, 0x91, ...name, 0x81, 0xa1, 0x70, 0x01];
    const back = decodeValue(new Uint8Array(bytes), ENCODING.messagePack);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Reflect.get({}, "p")).toBeUndefined();
  });

  test("in a map of another implementation, which arrives as a Map", () => {
    const bytes = [0x81, 0xa9, ...Buffer.from("__proto__"), 0x81, 0xa1, 0x70, 0x01];
    const back = decodeValue(new Uint8Array(bytes), ENCODING.messagePack);
    expect(back).toEqual(new Map([["__proto__", new Map([["p", 1]])]]));
  });
});

describe("bytes that are no message", () => {
  const LENGTH = [0xff, 0xff, 0xff, 0xff];

  test.each<[string, number[]]>([
    ["nothing", []],
    ["a value and a byte too many", [1, 2]],
    ["a number cut short", [0xcb, 1, 2]],
    ["an array of 4 Gi values that are not there", [0xdd, ...LENGTH]],
    ["a map of 4 Gi entries that are not there", [0xdf, ...LENGTH]],
    ["a text of 4 GiB that is not there", [0xdb, ...LENGTH]],
    ["bytes of 4 GiB that are not there", [0xc6, ...LENGTH]],
    ["an extension of 4 GiB that is not there", [0xc9, ...LENGTH, 0x74]],
    ["a bundle of texts of negative size", [0xd6, 0x62, ...LENGTH, 0x90]],
  ])("are refused with the code undecodable: %s", (_name, bytes) => {
    const call = (): unknown => decodeValue(new Uint8Array(bytes), ENCODING.messagePack);
    expect(call).toThrow(refused("undecodable"));
  });

  test.each([
    ["arrays", 0x91],
    ["maps", 0x81],
  ])("are refused where %s are nested a million deep, and the decoder goes on", (_name, byte) => {
    const nested = new Uint8Array(1 << 20).fill(byte);
    expect(() => decodeValue(nested, ENCODING.messagePack)).toThrow(refused("undecodable"));
    expect(roundTrip({ next: [1, 2] })).toEqual({ next: [1, 2] });
  });

  test("claim no memory for what they only declare", () => {
    // Each level declares as many values as bytes are left, the most that a decoder can believe.
    const levels = 1_000;
    const bytes = new Uint8Array(levels * 5);
    for (let level = 0; level < levels; level++) {
      bytes.set([0xdd], level * 5);
      new DataView(bytes.buffer).setUint32(level * 5 + 1, (levels - level - 1) * 5);
    }
    const before = process.memoryUsage().heapUsed;
    expect(() => decodeValue(bytes, ENCODING.messagePack)).toThrow(refused("undecodable"));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 << 20);
  });

  test("of an encoding from the future are refused by number", () => {
    expect(() => decodeValue(new Uint8Array(1), 7)).toThrow(/encoding 7 is not known/);
  });
});
