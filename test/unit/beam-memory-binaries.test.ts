import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { optimizeBinary } from "../../ts/beam/memory/binaries.ts";

const isShared = ({ kept }: { kept: Uint8Array }): boolean =>
  kept.buffer instanceof SharedArrayBuffer;

describe("optimizeBinary", () => {
  test("leaves small bytes as they are", () => {
    const bytes = new Uint8Array(63).fill(7);
    const result = optimizeBinary(bytes);
    expect(result).toMatchObject({ place: "heap", copies: 0, copiedBytes: 0, storedRatio: 1 });
    expect(result.kept).toBe(bytes);
    expect(result.toBytes()).toBe(bytes);
  });

  test.each([64, 65_535])("shares %i bytes with one copy", (length) => {
    const bytes = new Uint8Array(length).fill(7);
    const result = optimizeBinary(bytes);
    expect(result).toMatchObject({ place: "shared", copies: 1, copiedBytes: length });
    expect(isShared(result)).toBe(true);
    expect(Buffer.compare(result.toBytes(), bytes)).toBe(0);
  });

  test("does not copy what is shared already", () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(100));
    const result = optimizeBinary(bytes);
    expect(result).toMatchObject({ place: "shared", copies: 0, copiedBytes: 0 });
    expect(result.kept).toBe(bytes);
  });

  test("compresses large bytes and gives them back", () => {
    const bytes = new Uint8Array(65_536).map((_, at) => at % 97);
    const result = optimizeBinary(bytes);
    const { place, kept, copies, copiedBytes, originalBytes, storedRatio } = result;
    expect([place, copies, originalBytes]).toEqual(["storage", 1, 65_536]);
    expect(copiedBytes).toBe(kept.byteLength);
    expect(storedRatio).toBeLessThan(0.1);
    // The compressor's block must not stay behind the few bytes that are in use of it.
    expect(kept.buffer.byteLength).toBe(kept.byteLength);
    expect(Buffer.compare(result.toBytes(), bytes)).toBe(0);
  });

  test("shares large bytes that do not compress", () => {
    const bytes = new Uint8Array(randomBytes(70_000));
    expect(optimizeBinary(bytes)).toMatchObject({ place: "shared", copies: 1, storedRatio: 1 });
    expect(optimizeBinary(bytes, { strategy: "storage" })).toMatchObject({
      place: "heap",
      copies: 0,
    });
  });

  test("follows a strategy whatever the size", () => {
    const small = new Uint8Array(10);
    expect(isShared(optimizeBinary(small, { strategy: "sharing" }))).toBe(true);
    const middle = new Uint8Array(4_000);
    expect(optimizeBinary(middle, { strategy: "storage" })).toMatchObject({ place: "storage" });
    const wrong = { strategy: "fastest" as never };
    expect(() => optimizeBinary(small, wrong)).toThrow(/automatic, sharing, storage/);
  });

  test("takes no bytes at all", () => {
    for (const strategy of ["automatic", "sharing", "storage"] as const) {
      const result = optimizeBinary(new Uint8Array(0), { strategy });
      expect(result.toBytes()).toHaveLength(0);
      expect(result.copiedBytes).toBe(0);
    }
  });

  test.each([
    ["a text", "bytes" as never, {}, /bytes must be a Uint8Array/],
    ["a view of words", new Uint16Array(8) as never, {}, /bytes must be a Uint8Array/],
    ["an option misspelt", new Uint8Array(8), { stratgy: "sharing" }, /did you mean 'strategy'/],
    ["an unknown strategy", new Uint8Array(8), { strategy: "all" }, /strategy must be one of/],
  ])("refuses %s", (_what, bytes, options, message) => {
    const wanted = expect.objectContaining({ code: "invalid_options" });
    expect(() => optimizeBinary(bytes, options as never)).toThrow(wanted);
    expect(() => optimizeBinary(bytes, options as never)).toThrow(message);
  });
});
