import { randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { AtomTable } from "../../ts/beam/memory/atoms.ts";
import { LabelGuard } from "../../ts/beam/memory/labels.ts";

const coded = (code: string): unknown => expect.objectContaining({ code });

describe("an atom table", () => {
  test("gives a text one number, and the text back", () => {
    const table = new AtomTable();
    const id = table.intern("ready");
    expect(table.intern("ready")).toBe(id);
    expect(table.intern("steady")).not.toBe(id);
    expect(table.textOf(id)).toBe("ready");
    expect(table.idOf("ready")).toBe(id);
    expect(table.idOf("never seen")).toBeUndefined();
    expect(table.textOf(0)).toBeUndefined();
    expect(table.counts()).toMatchObject({ atoms: 2, textBytes: 11, hits: 1 });
  });

  test("refuses when it is full, and knows what it knew", () => {
    const table = new AtomTable({ atomsMax: 2 });
    const ids = [table.intern("a"), table.intern("b")];
    expect(() => table.intern("c")).toThrow(coded("interner_full"));
    expect([table.intern("a"), table.intern("b")]).toEqual(ids);
    expect(table.counts()).toMatchObject({ atoms: 2, refused: 1 });
  });

  test("counts bytes as UTF-8", () => {
    const table = new AtomTable({ textBytesMax: 5 });
    table.intern("äö");
    expect(() => table.intern("ü")).toThrow(coded("interner_full"));
    table.intern("u");
    expect(table.counts()).toMatchObject({ atoms: 2, textBytes: 5 });
  });

  test("forgets what was used longest ago, and never reuses its number", () => {
    const table = new AtomTable({ atomsMax: 2, evict: "lru" });
    const [a, b] = [table.intern("a"), table.intern("b")];
    table.textOf(a);
    const c = table.intern("c");
    expect([a, b, c].map((id) => table.textOf(id))).toEqual(["a", undefined, "c"]);
    expect(table.intern("b")).toBeGreaterThan(c);
    expect(table.counts()).toMatchObject({ atoms: 2, evicted: 2 });
  });

  test("is not emptied for a text that would not fit it alone", () => {
    const table = new AtomTable({ textBytesMax: 4, evict: "lru" });
    table.intern("ab");
    expect(() => table.intern("abcde")).toThrow(coded("interner_full"));
    expect(table.counts()).toMatchObject({ atoms: 1, evicted: 0 });
  });

  test("stays within its bounds whatever comes", () => {
    const seed = randomInt(2 ** 31);
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const table = new AtomTable({ atomsMax: 50, textBytesMax: 300, evict: "lru" });
    for (let turn = 0; turn < 20_000; turn++) {
      const text = "x".repeat(next(12)) + next(200);
      const id = table.intern(text);
      const { atoms, textBytes } = table.counts();
      const holds = atoms <= 50 && textBytes <= 300 && table.textOf(id) === text;
      expect(holds, `seed ${seed}, turn ${turn}`).toBe(true);
    }
  });

  test("refuses bounds that mean nothing", () => {
    expect(() => new AtomTable({ atomsMax: 0 })).toThrow(coded("invalid_options"));
    expect(() => new AtomTable({ textBytesMax: 1.5 })).toThrow(coded("invalid_options"));
    expect(() => new AtomTable({ evict: "all" as never })).toThrow(coded("invalid_options"));
    expect(() => new AtomTable({ atomMax: 1 } as never)).toThrow(/did you mean 'atomsMax'/);
  });

  test("takes nothing but texts", () => {
    const table = new AtomTable();
    expect(() => table.intern(7 as never)).toThrow(coded("invalid_options"));
    expect(() => table.intern(undefined as never)).toThrow(coded("invalid_options"));
    expect(table.counts()).toMatchObject({ atoms: 0, refused: 0 });
  });
});

describe("a label guard", () => {
  test("lets known sets through and folds what is too much into one", () => {
    const guard = new LabelGuard({ seriesMax: 2 });
    const get = { route: "/", method: "GET" };
    expect(guard.admit(get)).toBe(get);
    guard.admit({ route: "/", method: "PUT" });
    const folded = guard.admit({ route: "/x", method: "GET" });
    expect(folded).toEqual({ overflow: "true" });
    expect(guard.admit({ route: "/y", method: "GET" })).toBe(folded);
    const turned = { method: "GET", route: "/" };
    expect(guard.admit(turned)).toBe(turned);
    const counts = { series: 2, seriesMax: 2, passed: 3, folded: 2, refused: 0 };
    expect(guard.counts()).toEqual(counts);
  });

  test("tells sets apart that read alike", () => {
    const guard = new LabelGuard({ seriesMax: 10 });
    guard.admit({ a: "1,b:2" });
    guard.admit({ a: "1", b: "2" });
    guard.admit({ "a,b": "1" });
    expect(guard.counts().series).toBe(3);
  });

  test("refuses where it is told to", () => {
    const guard = new LabelGuard({ seriesMax: 1, overflow: "error" });
    guard.admit({ a: "1" });
    expect(() => guard.admit({ a: "2" })).toThrow(coded("series_full"));
    expect(guard.counts()).toMatchObject({ series: 1, refused: 1, folded: 0 });
  });

  test("keeps no set that is too long", () => {
    const guard = new LabelGuard({ seriesBytesMax: 8, overflowLabels: { a: "other" } });
    expect(guard.admit({ a: "12345678" })).toEqual({ a: "other" });
    expect(guard.admit({ a: "1234567" })).toEqual({ a: "1234567" });
    expect(guard.counts()).toMatchObject({ series: 1, folded: 1 });
  });

  test("refuses what is no label set, and options that mean nothing", () => {
    const guard = new LabelGuard();
    for (const odd of [7, null, "route", { route: 7 }]) {
      expect(() => guard.admit(odd as never)).toThrow(coded("invalid_options"));
    }
    expect(guard.counts().series).toBe(0);
    for (const odd of [{ seriesMax: 0 }, { overflow: "lru" }, { overflowLabels: { a: 7 } }]) {
      expect(() => new LabelGuard(odd as never)).toThrow(coded("invalid_options"));
    }
    expect(() => new LabelGuard({ serieMax: 1 } as never)).toThrow(/did you mean 'seriesMax'/);
  });
});
