import { describe, expect, test } from "vitest";
import { core } from "../../dist/ts/kernel/native.js";
import { lendArena } from "../../dist/ts/kernel/shared-runtime.js";

const ARENA_BYTES = 16 << 20;
const arena = lendArena(ARENA_BYTES);

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at * 13 + 5);
const internal = expect.objectContaining({ code: "internal" });

describe("a copy of the core", () => {
  test.each([0, 1, 7, 64, 4_096, 100_001])(
    "of %d bytes arrives whole, where it was told",
    (length) => {
      for (const offset of [0, 3, 8, 1_000_001, ARENA_BYTES - length]) {
        const source = bytes(length);
        core.copyIn(source, length, offset);
        expect(arena.u8.slice(offset, offset + length)).toEqual(source);
        const target = new Uint8Array(length);
        core.copyOut(target, offset);
        expect(target).toEqual(source);
      }
    },
  );

  test("takes a part of the source, and touches nothing beside it", () => {
    arena.u8.fill(0xee, 100, 200);
    core.copyIn(bytes(50).subarray(10), 20, 150);
    expect(arena.u8.slice(149, 171)).toEqual(Uint8Array.of(0xee, ...bytes(30).subarray(10), 0xee));
    const target = new Uint8Array(60);
    core.copyOut(target.subarray(20, 40), 150);
    expect(target.slice(19, 41)).toEqual(Uint8Array.of(0, ...bytes(30).subarray(10), 0));
  });

  test("takes bytes of the arena itself, also where the ends overlap", () => {
    arena.u8.set(bytes(5_000), 0);
    core.copyIn(arena.u8.subarray(0, 5_000), 5_000, 100);
    expect(arena.u8.slice(100, 5_100)).toEqual(bytes(5_000));
  });

  test("beyond an end is refused with a code, and copies nothing", () => {
    const before = arena.u8.slice(ARENA_BYTES - 16);
    for (const [length, offset] of [
      [17, ARENA_BYTES - 16],
      [1, ARENA_BYTES],
      [1, 0xffff_ffff],
    ] as const) {
      expect(() => core.copyIn(bytes(32), length, offset)).toThrow(internal);
      expect(() => core.copyOut(new Uint8Array(length), offset)).toThrow(internal);
    }
    expect(() => core.copyIn(bytes(8), 9, 0)).toThrow(internal);
    expect(arena.u8.slice(ARENA_BYTES - 16)).toEqual(before);
  });

  test("of what is no array of bytes is refused with a code", () => {
    const wrong = [undefined, null, 1, "text", {}, [1, 2], new ArrayBuffer(8)] as unknown[];
    for (const value of [...wrong, new Uint16Array(8), new Float64Array(2)] as Uint8Array[]) {
      const coded = expect.objectContaining({ code: expect.stringMatching(/internal|node_api/) });
      expect(() => core.copyIn(value, 1, 0)).toThrow(coded);
      expect(() => core.copyOut(value, 0)).toThrow(coded);
      expect(() => core.fillSlab(0, value, new Uint8Array(12))).toThrow(coded);
    }
  });

  test("of detached memory is refused, not read", () => {
    const gone = bytes(64);
    structuredClone(gone.buffer, { transfer: [gone.buffer as ArrayBuffer] });
    expect(() => core.copyIn(gone, 64, 0)).toThrow(internal);
    core.copyOut(gone, 0); // nothing to fill
  });
});

describe("a slab", () => {
  test("that nobody is attached for is refused, and nothing of it stays", () => {
    const { slabsLive } = core.boundaryCounters();
    const refused = expect.objectContaining({ code: "not_attached" });
    expect(() => core.fillSlab(0, bytes(100), new Uint8Array(12))).toThrow(refused);
    expect(() => core.fillSlab(0, bytes(100), new Uint8Array(11))).toThrow(internal);
    expect(core.boundaryCounters().slabsLive).toBe(slabsLive);
  });
});
