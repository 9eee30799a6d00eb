import { describe, expect, test } from "vitest";
import { differingPaths, digestRecords } from "../../ts/cli/index/canonical.ts";
import {
  decodeFileMessage,
  encodeFileMessage,
  fileMessageOverheadBytes,
  isResultMessage,
} from "../../ts/cli/index/messages.ts";
import { BRACKET_DEPTH_MAX, indexSource } from "../../ts/cli/index/parse.ts";
import type { FileRecord } from "../../ts/cli/index/record.ts";
import { latencyFigures, percentile } from "../../ts/cli/index/statistics.ts";

function index(path: string, text: string): FileRecord {
  return indexSource(path, Buffer.from(text));
}

describe("describing a source", () => {
  test("a module has its imports, exports and symbols", () => {
    const text = `
      import a, { b } from "./a.js";
      export * from "pkg";
      export { c as d } from "./c.js";
      export default class {}
      export const f = () => function () {};
      await import("./later.js");`;
    expect(index("m.mjs", text)).toMatchObject({
      isModule: true,
      imports: ["./a.js", "./c.js", "./later.js", "pkg"],
      exports: ["*", "d", "default", "f"],
      functions: 2,
      classes: 1,
      parseErrors: 0,
      problem: null,
    });
  });

  test("CommonJS has its requires and what it assigns to exports", () => {
    const text = `
      Object.defineProperty(exports, "__esModule", { value: true });
      Object.defineProperty(exports, "late", { get() { return 1; } });
      exports.a = require("./a");
      module.exports.b = require("b")(require(name));
      module.exports = {};`;
    expect(index("c.cjs", text)).toMatchObject({
      isModule: false,
      imports: ["./a", "b"],
      exports: ["a", "b", "default", "late"],
      functions: 1,
    });
  });

  test("a top-level return is legal in a file that may be CommonJS", () => {
    expect(index("r.js", "if (done) return; exports.x = 1;").parseErrors).toBe(0);
  });

  test("TypeScript has its types, and type imports count as imports", () => {
    const text = `
      import legacy = require("legacy");
      interface A {} type B = import("./b.js").B; enum C { one }
      declare function f(): void;`;
    expect(index("t.ts", text)).toMatchObject({
      imports: ["./b.js", "legacy"],
      types: 3,
      functions: 1,
      parseErrors: 0,
    });
  });

  test("what cannot be parsed is counted with the parser's words", () => {
    const record = index("broken.ts", "let x = ;");
    expect(record.parseErrors).toBeGreaterThan(0);
    expect(record.problem).toMatch(/\w/);
  });

  test("nesting that would end the process is refused", () => {
    const depth = BRACKET_DEPTH_MAX + 1;
    const record = index("deep.js", "(".repeat(depth) + ")".repeat(depth));
    expect(record).toMatchObject({ parseErrors: 1, functions: 0 });
    expect(record.problem).toContain("brackets");
  });

  test("nesting up to the limit is walked without recursion", () => {
    // The arrow's own parentheses are one more.
    const depth = BRACKET_DEPTH_MAX - 1;
    const text = `x = ${"[".repeat(depth)}() => 1${"]".repeat(depth)}`;
    expect(index("deep.js", text)).toMatchObject({ parseErrors: 0, functions: 1 });
  });

  test("half a surrogate pair in a name becomes what every encoding can carry", () => {
    expect(index("s.js", 'require("\\uD800x")').imports).toEqual(["\uFFFDx"]);
  });

  test("an empty file is a file", () => {
    expect(index("e.js", "")).toMatchObject({ bytes: 0, parseErrors: 0 });
  });
});

describe("the digest of a run", () => {
  const a = index("a.js", "1");
  const b = index("b.js", "2");

  test("does not depend on the order of the records or of their fields", () => {
    const reordered = Object.fromEntries(Object.entries(b).toReversed()) as unknown as FileRecord;
    expect(digestRecords([reordered, a])).toBe(digestRecords([a, b]));
  });

  test.each([
    ["content", { sha256: "0" }],
    ["exports", { exports: ["x"] }],
    ["problem", { problem: "none" }],
  ])("changes with the %s of one record, and names its path", (_, change) => {
    const changed = { ...b, ...change };
    expect(digestRecords([a, changed])).not.toBe(digestRecords([a, b]));
    expect(differingPaths([a, b], [a, changed])).toEqual(["b.js"]);
  });

  test("a path that only one run has differs", () => {
    expect(differingPaths([a, b], [a])).toEqual(["b.js"]);
    expect(differingPaths([a], [a, b])).toEqual(["b.js"]);
  });
});

describe("messages", () => {
  test("a file comes back as it was sent, and its size is as foretold", () => {
    const message = { fileId: 7, path: "ä/b.js", content: Buffer.from("let ü") };
    const bytes = encodeFileMessage(message);
    expect(bytes.byteLength).toBe(message.content.byteLength + fileMessageOverheadBytes("ä/b.js"));
    expect(decodeFileMessage(bytes)).toEqual(message);
  });

  test("a file that lies in shared memory is read in place", () => {
    const bytes = encodeFileMessage({ fileId: 1, path: "a.js", content: Buffer.from("x") });
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
    shared.set(bytes);
    const file = decodeFileMessage(shared);
    expect(indexSource("a.js", file?.content ?? new Uint8Array())).toEqual(index("a.js", "x"));
  });

  test.each([
    ["no bytes", "text"],
    ["too short", new Uint8Array(7)],
    ["a path longer than the message", new Uint8Array(8).fill(255)],
  ])("%s is no file", (_, message) => {
    expect(decodeFileMessage(message)).toBeUndefined();
  });

  test.each([
    null,
    1,
    {},
    { fileId: 1 },
    { fileId: 0.5, record: index("a.js", "") },
    { fileId: 1, record: {} },
  ])("%o is no result", (message) => {
    expect(isResultMessage(message)).toBe(false);
  });
});

describe("latencies", () => {
  test("percentiles are samples, by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(latencyFigures([3, 1, 2])).toEqual({ count: 3, p50Ms: 2, p99Ms: 3, maxMs: 3 });
  });

  test("no samples give no number", () => {
    expect(latencyFigures([]).p50Ms).toBeNaN();
  });
});
