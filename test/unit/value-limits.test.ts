import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { FoundationError } from "../../dist/ts/base/errors.js";
import { VALUE_DEPTH_MAX } from "../../dist/ts/kernel/value-format.js";
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
