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
    ["minus zero", [-0, 0, { a: -0 }, new Map([[{ a: -0 }, -0]])]],
    ["numbers of 32 bits", [2 ** 31, 2 ** 32 - 1, -(2 ** 31), -(2 ** 31) - 1, -129, -32_769]],
    ["other numbers", [0.1, -1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE]],
    ["large integers", [2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 70n), 10n]],
    [
      "text of every width",
      ["", "a", "é", "漢字", "😀", ...[...Array(70).keys(), 256, 70_000].map((n) => "x".repeat(n))],
    ],
    ["dates", [new Date(1_234_567_890_123), new Date(-1), new Date(Number.NaN)]],
    [
      "sets and maps",
      [
        new Set([1, "a", -0.5, { a: -0 }]),
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
    ["long lists", [Array.from({ length: 70_000 }, (_, index) => index), Array(20).fill("a")]],
    [
      "objects with many keys",
      [16, 100, 200, 600, 70_000].map((length) =>
        Object.fromEntries(Array.from({ length }, (_, index) => [`key-${index}`, index])),
      ),
    ],
    ["objects without a prototype's help", Object.assign(Object.create(null), { a: 1 })],
    [
      "objects of classes, as plain ones",
      [
        new (class Point {
          x = 1;
          y = { z: 2 };
        })(),
      ],
    ],
    ["empty ones", [{}, [], "", new Map(), new Set(), new Uint8Array(0)]],
    ["keys that are no identifiers", { "": 1, "a-b": 2, "0": 3, ключ: 4, 'quo"te': 5 }],
    ["keys that name parts of prototypes", { constructor: { prototype: { a: 1 } }, toString: "t" }],
  ])("%s", (_name, value) => {
    // More than once: known shapes are written in another way, and later on by generated code.
    for (let count = 0; count < 100; count += value instanceof Object ? 1 : 50) {
      expect(roundTrip(value)).toEqual(value);
      if (count === 3 && encodeValue(value).bytes.length > 10_000) break;
    }
  });

  test("an object that changes while it is read comes back with the keys it had", () => {
    const make = (): object => ({
      get first(): number {
        Reflect.deleteProperty(this, "second");
        Reflect.set(this, "third", 3);
        return 1;
      },
      second: 2,
    });
    for (let count = 0; count < 40; count++) {
      expect(roundTrip(make())).toEqual({ first: 1, second: undefined });
    }
  });

  test("a getter that encodes another message disturbs neither", () => {
    const inner: unknown[] = [];
    const make = (id: number): object => ({
      before: { id },
      get nested(): string {
        inner.push(roundTrip([{ id, name: "inner" }, { [`key-${id % 3}`]: id }]));
        return "x".repeat(id * 100);
      },
      after: [{ id }, { [`key-${id % 3}`]: id }, { name: "after", id }],
    });
    for (let id = 0; id < 300; id++) {
      expect(roundTrip(make(id))).toEqual({
        before: { id },
        nested: "x".repeat(id * 100),
        after: [{ id }, { [`key-${id % 3}`]: id }, { name: "after", id }],
      });
      expect(inner.pop()).toEqual([{ id, name: "inner" }, { [`key-${id % 3}`]: id }]);
    }
  });

  test("a message costs no more the second time, and its keys are said once in it", () => {
    const one = { identifier: 1, description: "text" };
    const sizes = [1, 2, 3].map(() => encodeValue(one).bytes.length);
    expect(sizes[1]).toBeLessThanOrEqual((sizes[0] as number) + 4);
    const many = encodeValue(Array.from({ length: 100 }, () => one)).bytes;
    expect(Buffer.from(many).toString("latin1").split("identifier")).toHaveLength(2);
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
    const { bytes, encoding } = encodeValue(undefined);
    expect([bytes.length, encoding]).toEqual([0, ENCODING.nothing]);
    expect(roundTrip(undefined)).toBeUndefined();
  });

  test("bytes pass as they are, uncopied", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    expect(encodeValue(bytes).encoding).toBe(ENCODING.bytes);
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
    ["a function inside of an object", { f: () => 1 }],
    ["a function inside of a map", new Map([[1, () => 1]])],
    ["a symbol inside of an object", { s: Symbol("s") }],
    ["a promise", Promise.resolve(1)],
    [
      "a promise inside of an object of a class",
      new (class Order {
        paid = Promise.resolve(1);
      })(),
    ],
    ["a weak map inside of an array", [new WeakMap()]],
    ["shared memory", { memory: new SharedArrayBuffer(8) }],
    ["a port", new MessageChannel().port1],
    ["a URL", { url: new URL("file:///x") }],
    ["an object that holds itself", endless],
    ["an object whose getter throws", throwing],
  ])("%s is refused with the code unencodable", (_name, value) => {
    expect(() => encodeValue(value)).toThrow(refused("unencodable"));
    // The encoder is shared by all messages of an isolate: the next one must come out whole.
    expect(roundTrip({ next: [1, 2] })).toEqual({ next: [1, 2] });
  });
});

test("the refusal of what is bound to its isolate names it", () => {
  const cause = expect.objectContaining({ message: "a Promise cannot be sent" });
  expect(() => encodeValue([Promise.resolve(1)])).toThrow(expect.objectContaining({ cause }));
});

describe("prototypes are out of reach of a message", () => {
  test("__proto__ arrives as a plain key of another name", () => {
    const back = roundTrip(JSON.parse('{"__proto__": {"polluted": 1}, "a": 2}'));
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back).toEqual({ __proto_: { polluted: 1 }, a: 2 });
  });

  const NAME = [...Buffer.from("__proto__")];

  test("in a shape's description, written by hand", () => {
    const bytes = [0xc1, 7, 0, 10, 9, ...NAME, 0x47, 0x81, 0xa1, 0x70, 0x01];
    const back = decodeValue(new Uint8Array(bytes), ENCODING.packed);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back).toEqual({ __proto_: { p: 1 } });
    expect(Reflect.get({}, "p")).toBeUndefined();
  });

  test("in an object that carries its keys, written by hand", () => {
    const bytes = [0x81, 0xa9, ...NAME, 0x81, 0xa1, 0x70, 0x01];
    const back = decodeValue(new Uint8Array(bytes), ENCODING.packed);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back).toEqual({ __proto_: { p: 1 } });
  });

  test("in a record that is embedded as MessagePack", () => {
    const record = [0xd4, 0x72, 0x40, 0x91, 0xa9, ...NAME, 0x81, 0xa1, 0x70, 0x01];
    const bytes = [0xc7, record.length, ...record];
    const back = decodeValue(new Uint8Array(bytes), ENCODING.packed);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Reflect.get({}, "p")).toBeUndefined();
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
    ["a shape that was not described", [0x40, 1]],
    ["a description without a value", [0xc1, 0, 0, 2, 1, 0x61]],
    ["a description behind a value", [0x91, 0xc1, 0, 0, 2, 1, 0x61, 0x40, 1]],
    ["a description that is longer than the message", [0xc1, 0, 0xff, 0xff, 1, 0x61]],
    ["a key that is no text", [0x81, 1, 1]],
    ["an embedded value that is empty", [0xc7, 0]],
    ["an embedded value that is longer than the message", [0xc7, 5, 1]],
    ["an embedded value that ends before its bytes", [0xc7, 2, 1, 1]],
    ["a set of no list", [0xd6, 1]],
    ["a map of no list", [0xd7, 0x80]],
    ["a map of a key without a value", [0xd7, 0x91, 1]],
    ["a bundle of texts of negative size", [0xd6, 0x62, ...LENGTH, 0x90]],
  ])("are refused with the code undecodable: %s", (_name, bytes) => {
    const call = (): unknown => decodeValue(new Uint8Array(bytes), ENCODING.packed);
    expect(call).toThrow(refused("undecodable"));
  });

  test.each([
    ["arrays", 0x91],
    ["maps", 0x81],
  ])("are refused where %s are nested a million deep, and the decoder goes on", (_name, byte) => {
    const nested = new Uint8Array(1 << 20).fill(byte);
    expect(() => decodeValue(nested, ENCODING.packed)).toThrow(refused("undecodable"));
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
    expect(() => decodeValue(bytes, ENCODING.packed)).toThrow(refused("undecodable"));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 << 20);
  });

  test("of an encoding from the future are refused by number", () => {
    expect(() => decodeValue(new Uint8Array(1), 7)).toThrow(/encoding 7 is not known/);
  });
});
