import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { scriptArrows } from "./script-arrows.ts";

describe("script arrows", () => {
  test("imports of rooms below pass", () => {
    const tree = {
      "ts/base/errors.ts": 'import { A } from "./codes.ts";',
      "ts/kernel/node.ts": 'import { L } from "../../bindings/load.ts";\nimport "../base/ids.ts";',
      "ts/services/events.ts": 'import type { N } from "../kernel/node.ts";\nimport "vitest";',
      "ts/index.ts": 'export { Foundation } from "./kernel/foundation.ts";',
      "ts/cli/main.ts": 'const { run } = await import("../index.ts");',
      "bindings/load.ts": 'import { FoundationError } from "../ts/base/errors.ts";',
    };
    expect(objections(scriptArrows, tree)).toEqual([]);
  });

  test.each([
    ["ts/kernel/node.ts", 'import { P } from "../beam/process.ts";'],
    ["ts/base/errors.ts", 'import "../kernel/node.ts";'],
    ["ts/beam/process.ts", 'import { L } from "../../bindings/load.ts";'],
    ["ts/ecosystems/place.ts", 'import { S } from "../intelligence/sensor.ts";'],
    ["ts/kernel/node.ts", 'const { F } = await import("../index.ts");'],
    ["ts/kernel/node.ts", 'let value: import("../cli/main.ts").Main;'],
    ["ts/index.ts", 'export { dashboard } from "./gateway/dashboard.ts";'],
    ["ts/kernel/node.ts", 'import "../cellar/wine.ts";'],
    ["bindings/load.ts", 'import "../ts/kernel/node.ts";'],
  ])("a wrong arrow in %s is found: %s", (path, text) => {
    expect(objections(scriptArrows, { [path]: `// first line\n${text}` })).toEqual([`${path}:2`]);
  });

  test("only an index passes names on", () => {
    const text = 'export * from "./ring.ts";';
    expect(objections(scriptArrows, { "ts/kernel/node.ts": text })).toEqual([
      "ts/kernel/node.ts:1",
    ]);
    expect(objections(scriptArrows, { "ts/kernel/index.ts": text })).toEqual([]);
  });
});
