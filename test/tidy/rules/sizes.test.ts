import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { fileLength, functionLength, lineColumns } from "./sizes.ts";

const statements = (count: number): string => "  step();\n".repeat(count);

describe("file length", () => {
  test("800 lines pass and 801 do not", () => {
    const line = "// a line\n";
    const tree = {
      "ts/kernel/fits.ts": line.repeat(800),
      "native/link/src/long.rs": line.repeat(801),
    };
    expect(objections(fileLength, tree)).toEqual(["native/link/src/long.rs:1"]);
  });

  test("prose and generated code may be long", () => {
    const line = "a line\n";
    const tree = {
      "docs/wire.md": line.repeat(900),
      "bindings/generated/core.ts": line.repeat(900),
    };
    expect(objections(fileLength, tree)).toEqual([]);
  });
});

describe("line columns", () => {
  test("the 101st column is one too many, counted in characters", () => {
    const text = `// ${"é".repeat(97)}\n// ${"e".repeat(98)}\n`;
    expect(objections(lineColumns, { "native/ring/src/lib.rs": text })).toEqual([
      "native/ring/src/lib.rs:2",
    ]);
  });

  test("a long link may stay on its line", () => {
    const text = `// https://example.org/${"e".repeat(120)}\n`;
    expect(objections(lineColumns, { "ts/index.ts": text })).toEqual([]);
  });
});

describe("function length", () => {
  test("a TypeScript function, method or arrow of 71 lines is found", () => {
    const body = `{\n${statements(68)}}`;
    const longer = `{\n${statements(69)}}`;
    const method = `class Room {\n  enter() ${longer}\n}`;
    const text = `function fits() ${body}\n${method}\nconst leave = () => ${longer};\n`;
    expect(objections(functionLength, { "ts/kernel/room.ts": text })).toEqual([
      "ts/kernel/room.ts:72",
      "ts/kernel/room.ts:144",
    ]);
  });

  test("a list of tests is not a function", () => {
    const text = `describe.each([1])("x", () => {\n${statements(90)}});\n`;
    expect(objections(functionLength, { "test/unit/x.test.ts": text })).toEqual([]);
  });

  test("a Rust function of 71 lines is found, whatever its strings and comments hold", () => {
    const text = [
      "/// Not a body: fn x() {",
      "fn fits(word: [u8; 4]) -> char {",
      '    let brace = "{ { {";',
      "    '{' // }",
      "}",
      `pub fn long() {\n${statements(69)}}`,
    ].join("\n");
    expect(objections(functionLength, { "native/link/src/lib.rs": text })).toEqual([
      "native/link/src/lib.rs:6",
    ]);
  });
});
