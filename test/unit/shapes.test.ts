import { describe, expect, test } from "vitest";
import { ReadShapes } from "../../ts/kernel/read-shapes.ts";
import { type Shape, Shapes } from "../../ts/kernel/shapes.ts";
import { SHAPE_KEYS_MAX, SHAPES_MAX } from "../../ts/kernel/value-format.ts";

/** Meets an object as the writer does: a guess first, then a look by keys. */
function meet(shapes: Shapes, object: object, message: number): Shape | undefined {
  return shapes.guess(object) ?? shapes.find(Object.keys(object), message);
}

describe("the shapes of a sender", () => {
  test("get a number when they are met for the second time", () => {
    const shapes = new Shapes();
    expect(meet(shapes, { a: 1, b: 2 }, 1)).toBeUndefined();
    const shape = meet(shapes, { a: 3, b: 4 }, 2);
    expect(shape?.keys).toEqual(["a", "b"]);
    expect(shapes.guess({ a: 5, b: 6 })).toBe(shape);
  });

  test("tell orders of keys apart, and own keys from inherited ones", () => {
    const shapes = new Shapes();
    const inherited: object = Object.assign(Object.create({ b: 1 }), { a: 1 });
    meet(shapes, { a: 1, b: 2 }, 1);
    const shape = meet(shapes, { a: 1, b: 2 }, 1);
    expect(shape).toBeDefined();
    expect(shape?.fits({ b: 1, a: 2 })).toBe(false);
    expect(shape?.fits(inherited)).toBe(false);
    expect(shape?.fits({ a: 1, b: 2, c: 3 })).toBe(false);
    expect(shape?.fits({ a: 1 })).toBe(false);
    expect(shape?.fits({})).toBe(false);
  });

  test("are guessed where two shapes take turns", () => {
    const shapes = new Shapes();
    const turn = (): void => {
      for (const object of [{ order: 1 }, { line: 1 }, { line: 2 }, { order: 2 }]) {
        meet(shapes, object, 1);
      }
    };
    turn();
    turn();
    turn();
    for (const object of [{ order: 1 }, { line: 1 }, { line: 2 }, { order: 2 }]) {
      expect(shapes.guess(object)).toBeDefined();
    }
  });

  test("stay bounded where every object has keys of its own, and known ones stay", () => {
    const shapes = new Shapes();
    meet(shapes, { id: 1, name: "n" }, 1);
    const known = meet(shapes, { id: 1, name: "n" }, 2);
    for (let count = 0; count < 100_000; count++) meet(shapes, { [`key-${count}`]: 1 }, count + 3);
    expect(shapes.size).toBeLessThan(SHAPES_MAX);
    expect(meet(shapes, { id: 2, name: "m" }, 200_000)).toBe(known);
  });

  test("take the oldest number over where all are given, but none of the message under way", () => {
    const shapes = new Shapes();
    const admit = (key: string, message: number): Shape | undefined => {
      meet(shapes, { [key]: 1 }, message);
      const shape = meet(shapes, { [key]: 1 }, message);
      if (shape !== undefined) shape.usedBy = message;
      return shape;
    };
    const first = admit("first", 1);
    for (let count = 1; count < SHAPES_MAX; count++) admit(`key-${count}`, 2);
    expect(shapes.size).toBe(SHAPES_MAX);
    const heir = admit("heir", 3);
    expect(heir?.id).toBe(first?.id);
    expect(first?.fits({ first: 1 })).toBe(false);
    for (let count = 1; count < SHAPES_MAX; count++) admit(`other-${count}`, 3);
    expect(admit("one-too-many", 3)).toBeUndefined();
    expect(heir?.fits({ heir: 1 })).toBe(true);
    expect(shapes.size).toBe(SHAPES_MAX);
  });

  test.each<[string, object]>([
    ["__proto__ is one of them", JSON.parse('{"__proto__":1,"a":2}')],
    ["they are too many", Object.fromEntries(Array.from({ length: SHAPE_KEYS_MAX + 1 }).entries())],
    ["one is too long", { ["k".repeat(256)]: 1 }],
    ["one would not come back the same", { "\ud800": 1 }],
    ["there are none", {}],
  ])("get no number where %s", (_name, object) => {
    const shapes = new Shapes();
    for (let count = 0; count < 3; count++) expect(meet(shapes, object, count + 1)).toBeUndefined();
  });
});

describe("the shapes of a receiver", () => {
  const keysOf = (...keys: string[]): Buffer =>
    Buffer.concat(keys.flatMap((key) => [Uint8Array.of(Buffer.byteLength(key)), Buffer.from(key)]));

  test("are found again by their bytes, whoever described them under which number", () => {
    const shapes = new ReadShapes(() => 1);
    const bytes = keysOf("a", "b");
    const shape = shapes.find(bytes, 0, bytes.length, 5);
    expect(shape?.read()).toEqual({ a: 1, b: 1 });
    expect(shapes.find(keysOf("c"), 0, 2, 5)).not.toBe(shape);
    expect(shapes.find(bytes, 0, bytes.length, 6)).toBe(shape);
    expect(shapes.find(bytes, 0, bytes.length, 5)).toBe(shape);
  });

  test("stay bounded in number and bytes, and the ones in use are kept", () => {
    const shapes = new ReadShapes(() => 1);
    const used = keysOf("used");
    const shape = shapes.find(used, 0, used.length, 1);
    for (let count = 0; count < 20_000; count++) {
      const bytes = keysOf(`key-${count}`, "k".repeat(250), "k".repeat(250), "k".repeat(250));
      shapes.find(bytes, 0, bytes.length, count & 0xff);
      if ((count & 0xff) === 0) expect(shapes.find(used, 0, used.length, 1)).toBe(shape);
    }
    expect(shapes.size).toBeLessThanOrEqual(1024);
    expect(shapes.bytes).toBeLessThanOrEqual(1 << 20);
  });

  test.each<[string, Buffer]>([
    ["no keys", Buffer.alloc(0)],
    ["a key that is cut short", Buffer.from([5, 0x61])],
    ["more keys than a shape may have", Buffer.alloc(SHAPE_KEYS_MAX + 1)],
    [
      "more bytes than a shape may have",
      keysOf(...Array.from({ length: 20 }, () => "k".repeat(250))),
    ],
  ])("are refused where there is %s", (_name, bytes) => {
    expect(new ReadShapes(() => 1).find(bytes, 0, bytes.length, 0)).toBeUndefined();
  });

  test("set own keys only, before and after code is generated for them", () => {
    const shapes = new ReadShapes(() => "value");
    const names = ["__proto__", "constructor", "toString", "a b", '"', "\\", "\n", "\u2028", "`$`"];
    const bytes = keysOf(...names);
    for (let count = 0; count < 200; count++) {
      const object = shapes.find(bytes, 0, bytes.length, 0)?.read() as object;
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
      expect(Object.keys(object)).toEqual(["__proto_", ...names.slice(1)]);
    }
    expect(Object.keys({})).toEqual([]);
  });
});
