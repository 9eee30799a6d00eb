import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { FoundationError } from "../../dist/ts/base/errors.js";
import {
  OBJECT_COST,
  OBJECT_COST_MAX,
  VALUE_DEPTH_MAX,
} from "../../dist/ts/kernel/value-format.js";
import { decodePacked, decodeValue, ENCODING, encodeValue } from "../../dist/ts/kernel/values.js";

const MUTATIONS = Number(process.env["FOUNDATION_TEST_MUTATIONS"] ?? 30_000);

function bytesOf(value: unknown): Uint8Array {
  return Uint8Array.from(encodeValue(value).bytes);
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    return thrown instanceof FoundationError ? thrown.code : String(thrown);
  }
  return "nothing thrown";
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { value };
  return value;
}

function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

describe("a deep value", () => {
  test("arrives up to the limit and is refused above it, when sent", () => {
    const value = nested(VALUE_DEPTH_MAX);
    expect(decodePacked(bytesOf(value))).toEqual(value);
    expect(codeOf(() => encodeValue(nested(VALUE_DEPTH_MAX + 1)))).toBe("unencodable");
    expect(codeOf(() => encodeValue(nested(100_000)))).toBe("unencodable");
    const ring: unknown[] = [];
    ring.push(ring);
    expect(codeOf(() => encodeValue(ring))).toBe("unencodable");
    expect(decodePacked(bytesOf({ after: "a refusal" }))).toEqual({ after: "a refusal" });
  });

  test.each([
    ["a date", new Date(1)],
    ["bytes", new Uint8Array(2)],
    ["a view", new Float64Array(2)],
  ])("holds %s in its depth as in any other place", (_kind, leaf) => {
    let value: unknown = leaf;
    for (let level = 0; level < VALUE_DEPTH_MAX; level++) value = [value];
    expect(decodePacked(bytesOf(value))).toEqual(value);
    expect(codeOf(() => encodeValue([value]))).toBe("unencodable");
  });

  test.each([
    ["arrays", [0x91]],
    ["maps", [0x81, 0xa1, 0x61]],
    ["sets", [0xd6, 0x91]],
  ])("of a million %s is refused, when received", (_kind, head) => {
    const bytes = new Uint8Array(1_000_000 * head.length).map((_, at) => head[at % head.length]!);
    expect(codeOf(() => decodePacked(bytes))).toBe("undecodable");
  });
});

describe("a value that claims more than it has", () => {
  test.each([
    ["an array", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a map", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["a text", [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["bytes", [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ["an embedded value", [0xc9, 0xff, 0xff, 0xff, 0xff]],
    ["nested arrays", [0xdc, 0x00, 0x08, 0xdc, 0x00, 0x08, 1, 1, 1, 1, 1, 1, 1, 1]],
  ])("%s is refused before memory is given to it", (_kind, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(codeOf(() => decodePacked(Uint8Array.from(bytes)))).toBe("undecodable");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });
});

describe("an embedded value", () => {
  // Extension 0x62 of msgpackr names a place to go on reading: behind the value lies what another
  // sender wrote.
  test("cannot reach what lies beside it", () => {
    const secret = Buffer.from("what another sender wrote");
    for (let jump = 0; jump < 64; jump++) {
      const extension = [0xd6, 0x62, 0, 0, 0, jump, 0xc4, secret.length];
      const value = [0xc7, extension.length, ...extension];
      const memory = Buffer.concat([Buffer.from(value), secret, secret]);
      let read: unknown;
      try {
        read = decodePacked(memory, 0, value.length);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(FoundationError);
        continue;
      }
      expect(JSON.stringify(read) ?? "").not.toContain("another");
    }
  });
});

test.each(["valueOf", "constructor", "toString", "hasOwnProperty", "__proto__", "NoSuchError"])(
  "an embedded error of the class %s is a plain error",
  (name) => {
    const message = [0xa1, 0x61, 0xc0];
    const packed = [0xd4, 0x65, 0x00, 0x93, 0xa0 | name.length, ...Buffer.from(name), ...message];
    const read = decodePacked(Uint8Array.from([0xc7, packed.length, ...packed]));
    expect(read).toBeInstanceOf(Error);
    expect(read).toMatchObject({ name, message: "a" });
  },
);

describe("an embedded value is checked before it is unpacked", () => {
  const embedded = (...packed: number[]): Uint8Array => {
    const head = [0xc9, 0, 0, packed.length >>> 8, packed.length & 0xff];
    return Uint8Array.from([...head, ...packed]);
  };
  const text = (value: string): number[] => [0xa0 | value.length, ...Buffer.from(value)];

  test.each<[string, number[]]>([
    ["nothing", []],
    ["two values", [0x01, 0x02]],
    ["the mark that means nothing", [0xc1]],
    ["a short float, which nobody writes", [0xca, 0, 0, 0, 0]],
    ["a record that was not defined", [0x40]],
    ["a record of two bytes' number", [0xd5, 0x72, 0x40, 0x00, 0x91, ...text("a"), 1]],
    ["a record under no number", [0xd4, 0x72, 0x20, 0x91, ...text("a"), 1]],
    ["a record whose key is no text", [0xd4, 0x72, 0x40, 0x91, 1, 1]],
    ["a record without its values", [0xd4, 0x72, 0x40, 0x91, ...text("a")]],
    ["a record of 2^32 - 1 keys", [0xd4, 0x72, 0x40, 0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a jump to another place", [0xd6, 0x62, 0, 0, 0, 9, 0xa1, 0x61]],
    ["a reference to another value", [0xd6, 0x70, 0, 0, 0, 1]],
    ["a number for references", [0xd6, 0x69, 0, 0, 0, 1, 0x90]],
    ["an extension that nobody knows", [0xc7, 1, 0x33, 0]],
    ["a tag that nobody knows", [0xd4, 0x33, 0]],
    ["an extension that does not fit", [0xc7, 5, 0x74, 0x01, 0]],
    ["a view of no kind", [0xc7, 1, 0x74, 11]],
    ["a view of a half element", [0xc7, 4, 0x74, 5, 1, 2, 3]],
    ["an integer of no bytes", [0xc7, 0, 0x42]],
    ["a date of three bytes", [0xc7, 3, 0xff, 0, 0, 0]],
    ["a set that is no array", [0xd4, 0x73, 0, 0x01]],
    ["an error of two parts", [0xd4, 0x65, 0, 0x92, ...text("E"), ...text("m")]],
    ["an expression of three parts", [0xd4, 0x78, 0, 0x93, ...text("a"), ...text(""), 1]],
    ["an expression that is none", [0xd4, 0x78, 0, 0x92, ...text("("), ...text("")]],
    ["an array of 2^32 - 1", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a map of 2^32 - 1", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["a map without its last value", [0x81, 1]],
    ["a text that does not fit", [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["bytes that do not fit", [0xc6, 0xff, 0xff, 0xff, 0xff]],
  ])("%s is refused", (_what, packed) => {
    expect(codeOf(() => decodePacked(embedded(...packed)))).toBe("undecodable");
    expect(decodePacked(bytesOf(new Set([1])))).toEqual(new Set([1]));
  });

  class Point {
    x: unknown;
    constructor(x: unknown) {
      this.x = x;
    }
  }
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test.each<[string, unknown]>([
    ["an error with a cause", new TypeError("t", { cause: { deep: [new RangeError("r")] } })],
    ["an expression", /a+b/giu],
    ["a long integer", 2n ** 64n],
    ["a longer one below zero", -(2n ** 200n)],
    ["a very long one", 2n ** 70_000n],
    ["typed arrays", [new Float64Array([1.5]), new Int8Array(300), new Uint16Array(70_000)]],
    ["buffers", [new ArrayBuffer(3), new DataView(new ArrayBuffer(5)), new BigInt64Array(2)]],
  ])("%s passes", (_what, value) => {
    expect(decodePacked(bytesOf(value))).toEqual(value);
  });

  test("whatever objects of classes hold passes", () => {
    const numbers = [0, -1, 63, 64, 127, 128, -32, -33, -129, 70_000, -70_000, 2 ** 31, 1.5];
    const texts = ["", "t".repeat(31), "t".repeat(32), "ü".repeat(300), "t".repeat(70_000)];
    const values = [...numbers, ...texts, null, true, [], {}, [[{ a: [1] }, { a: [2] }]]];
    for (const value of [...values, values, values.map((one) => new Point(one))]) {
      expect(plain(decodePacked(bytesOf(new Point(value))))).toEqual({ x: plain(value) });
    }
    const rare: unknown[] = [
      undefined,
      new Date(1_500),
      new Date(Number.NaN),
      new Date(-1),
      new Set([1]),
    ];
    rare.push(new Map<unknown, unknown>([[{ key: 1 }, [2]]]), Buffer.from("b"), 5n, 2n ** 63n);
    for (const value of rare) {
      expect((decodePacked(bytesOf(new Point(value))) as Point).x).toEqual(value);
    }
    // More shapes than there are numbers for: they are given anew.
    const shapes = Array.from({ length: 200 }, (_, index) => ({ [`key${index % 130}`]: index }));
    expect(decodePacked(bytesOf(new Point(shapes)))).toEqual({ x: shapes });
  });

  test.each([0, 1, 5, VALUE_DEPTH_MAX - 2])("its depth counts, inside of %i others", (outer) => {
    const within = (depth: number): unknown => {
      let value: unknown = new Point(nested(depth));
      for (let level = 0; level < outer; level++) value = [value];
      return value;
    };
    const deepest = VALUE_DEPTH_MAX - outer - 1;
    const sent = bytesOf(within(deepest));
    expect(codeOf(() => decodePacked(sent))).toBe("nothing thrown");
    expect(codeOf(() => encodeValue(within(deepest + 1)))).toBe("unencodable");
    // The sender's refusal is a courtesy: one more array around what it let pass.
    const deeper = Uint8Array.from([0x91, ...sent]);
    expect(codeOf(() => decodePacked(deeper))).toBe("undecodable");
  });

  test("a hundred thousand arrays within one another are refused, as are sets and errors", () => {
    for (const head of [[0x91], [0x81, 1], [0xd4, 0x73, 0, 0x91], [0xd4, 0x65, 0, 0x93, 1, 1]]) {
      const packed = Array.from({ length: 50_000 }, (_, at) => head[at % head.length] as number);
      expect(codeOf(() => decodePacked(embedded(...packed)))).toBe("undecodable");
    }
  });
});

describe("a value of very many objects", () => {
  const MIB = 1 << 20;

  /** An array of so many bytes, each of which, or each few of which, is an object. */
  function many(bytes: number, ...unit: number[]): Uint8Array {
    const value = Buffer.alloc(bytes);
    for (let at = 5; at < bytes; at++) value[at] = unit[(at - 5) % unit.length] as number;
    value[0] = 0xdd;
    value.writeUInt32BE(Math.floor((bytes - 5) / unit.length), 1);
    return value.subarray(0, 5 + Math.floor((bytes - 5) / unit.length) * unit.length);
  }

  test.each<[string, number[]]>([
    ["empty objects", [0x80]],
    ["empty arrays", [0x90]],
    ["sets", [0xd6, 0x90]],
    ["maps", [0xd7, 0x90]],
    ["bytes", [0xc4, 0]],
    ["nothing", [0xc0]],
    ["arrays of objects", [0x98, ...new Array<number>(8).fill(0x80)]],
    ["dates", [0xd5, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["errors", [0xc7, 7, 0xd4, 0x65, 0, 0x93, 0xa0, 0xa0, 0xc0]],
  ])("%s is refused beyond the limit", (_what, unit) => {
    expect(codeOf(() => decodePacked(many(16 * MIB, ...unit)))).toBe("undecodable");
    expect(codeOf(() => decodePacked(many(MIB / 8, ...unit)))).toBe("nothing thrown");
  });

  test("is refused when it is sent, too", () => {
    const count = Math.floor(OBJECT_COST_MAX / (OBJECT_COST.plain + 1));
    const objects = new Array(count).fill({});
    expect(codeOf(() => encodeValue([...objects, {}]))).toBe("unencodable");
    const most = objects.slice(2);
    expect(decodePacked(bytesOf(most))).toHaveLength(most.length);
    const errors = new Array(OBJECT_COST_MAX / OBJECT_COST.error).fill(new Error("e"));
    expect(codeOf(() => encodeValue(errors))).toBe("unencodable");
  });
});

describe("keys that mean something to objects", () => {
  const KEYS = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];

  test.each(KEYS)("%s reaches no prototype", (key) => {
    const hostile = JSON.parse(`{"${key}": {"polluted": true}, "other": 1}`) as object;
    const values = [hostile, new Map([[key, { polluted: true }]]), [hostile, hostile, hostile]];
    for (const value of values) {
      const read = decodePacked(bytesOf(value));
      expect(Object.getPrototypeOf([read].flat()[0])).toBe(
        Object.getPrototypeOf([value].flat()[0]),
      );
    }
    const packed = new Packr({ useRecords: true }).pack(hostile);
    const embedded = Uint8Array.from([0xc7, packed.length, ...packed]);
    decodePacked(embedded);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

test("an object with a key `constructor`, or without a prototype, is as plain as any other", () => {
  const bare = Object.assign(Object.create(null) as object, { a: -0, b: 1n });
  const named = { constructor: -0, deep: { constructor: "text", list: [-0] } };
  const read = decodePacked(bytesOf([bare, named]));
  expect(read).toEqual([{ a: -0, b: 1n }, named]);
  expect(read).not.toEqual([{ a: 0, b: 1n }, named]);
});

test("an encoding that this version does not know is refused", () => {
  expect(codeOf(() => decodeValue(new Uint8Array(4), 7))).toBe("undecodable");
  expect(codeOf(() => decodeValue(new Uint8Array(4), ENCODING.bytesBundle))).toBe("undecodable");
});

test(`${MUTATIONS} changed values do nothing worse than being refused`, () => {
  const seed = Number(process.env["FOUNDATION_TEST_SEED"] ?? Date.now() >>> 0);
  process.stdout.write(`changed values: FOUNDATION_TEST_SEED=${seed} repeats this run\n`);
  const next = random(seed);
  const samples = [
    { id: 1, name: "Ada", tags: ["a", "b"], at: new Date(0), nested: { deep: [1.5, -7, null] } },
    [new Map([["k", 1]]), new Set([1, "two"]), new Error("e"), /x/g, 12n, new Float32Array(3)],
    new Error("e", {
      cause: [Object.assign(new (class Own {})(), { own: 2n ** 90n }), /y/, [{}, {}]],
    }),
    Object.assign(Object.create(null), { a: [{ b: 1 }, { b: 2 }], c: new Map([[1, new Set()]]) }),
    Array.from({ length: 20 }, (_, index) => ({ index, text: "t".repeat(index) })),
  ].map(bytesOf);
  let refused = 0;
  for (let round = 0; round < MUTATIONS; round++) {
    const bytes = Uint8Array.from(samples[next() % samples.length] as Uint8Array);
    for (let change = next() % 4; change >= 0; change--) bytes[next() % bytes.length] = next();
    const end = next() % 8 === 0 ? next() % bytes.length : bytes.length;
    try {
      decodePacked(bytes, 0, end);
    } catch (thrown) {
      refused++;
      if (!(thrown instanceof FoundationError)) throw thrown;
    }
  }
  expect(refused).toBeGreaterThan(MUTATIONS / 10);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Object.keys(Array.prototype)).toEqual([]);
});
