import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countCycles } from "../../ts/cli/index/cycles.ts";
import { graphFigures } from "../../ts/cli/index/graph.ts";
import type { FileRecord } from "../../ts/cli/index/record.ts";
import { resolveSpecifier } from "../../ts/cli/index/resolve.ts";

function record(path: string, ...imports: string[]): FileRecord {
  return {
    path,
    bytes: 1,
    sha256: "",
    isModule: true,
    imports,
    exports: [],
    functions: 0,
    classes: 0,
    types: 0,
    parseErrors: 0,
    problem: null,
  };
}

describe("resolving a specifier", () => {
  const paths = new Set([
    "a.js",
    "lib/index.js",
    "lib/b.ts",
    "lib/c.d.mts",
    "lib/d/e.cjs",
    "index.js",
  ]);

  test.each([
    ["./b", "lib/index.js", "lib/b.ts"],
    ["./b.js", "lib/index.js", "lib/b.ts"],
    ["./c.mjs", "lib/index.js", "lib/c.d.mts"],
    ["./d/e", "lib/index.js", "lib/d/e.cjs"],
    ["./lib", "a.js", "lib/index.js"],
    ["./lib/", "a.js", "lib/index.js"],
    ["../a", "lib/b.ts", "a.js"],
    ["..", "lib/b.ts", "index.js"],
    [".", "a.js", "index.js"],
    ["../../a.js", "lib/d/e.cjs", "a.js"],
  ])("%s from %s is %s", (specifier, from, path) => {
    expect(resolveSpecifier(specifier, from, paths)).toEqual({ kind: "module", path });
  });

  test.each([
    ["node:fs", { kind: "builtin" }],
    ["fs/promises", { kind: "builtin" }],
    ["left-pad", { kind: "package", name: "left-pad" }],
    ["left-pad/lib/x.js", { kind: "package", name: "left-pad" }],
    ["@scope/name/x", { kind: "package", name: "@scope/name" }],
    ["#internal", { kind: "other" }],
    ["https://example.org/x.js", { kind: "other" }],
    ["/etc/x.js", { kind: "other" }],
    ["", { kind: "other" }],
    ["./package.json", { kind: "asset" }],
    ["./missing", { kind: "unresolved" }],
    ["../../../outside.js", { kind: "unresolved" }],
  ])("%s is %o", (specifier, target) => {
    expect(resolveSpecifier(specifier, "lib/b.ts", paths)).toEqual(target);
  });
});

describe("counting cycles", () => {
  test("a chain has none", () => {
    expect(countCycles([[1], [2], []])).toEqual({ cycles: 0, largestCycleModules: 0 });
  });

  test("a module that imports itself is one", () => {
    expect(countCycles([[0], []])).toEqual({ cycles: 1, largestCycleModules: 1 });
  });

  test("two circles that share a module are one component", () => {
    expect(countCycles([[1], [0, 2], [1], [3]])).toEqual({ cycles: 2, largestCycleModules: 3 });
  });

  test("a chain far longer than the call stack is counted", () => {
    const length = 200_000;
    const circle = Array.from({ length }, (_, node) => [(node + 1) % length]);
    expect(countCycles(circle)).toEqual({ cycles: 1, largestCycleModules: length });
  });

  test("agrees with reachability on any small graph", () => {
    const node = fc.nat(7);
    const graph = fc.array(fc.uniqueArray(node), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(graph, (edges) => {
        expect(countCycles(edges)).toEqual(byReach(edges));
      }),
    );
  });
});

/** Components by definition: two nodes belong together if each reaches the other. */
function byReach(edges: readonly (readonly number[])[]): unknown {
  const reach = edges.map((_, start) => {
    const seen = new Set<number>();
    const pending = [...(edges[start] ?? [])];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      pending.push(...(edges[node] ?? []));
    }
    return seen;
  });
  const groups = new Set<string>();
  reach.forEach((targets, node) => {
    if (!targets.has(node)) return;
    groups.add(
      [...targets]
        .filter((other) => reach[other]?.has(node))
        .sort()
        .join(),
    );
  });
  const sizes = [...groups].map((group) => group.split(",").length);
  return { cycles: sizes.length, largestCycleModules: Math.max(0, ...sizes) };
}

describe("the figures of a corpus", () => {
  const records = [
    record("a.js", "./b.js", "./b", "left-pad", "left-pad/x", "node:fs"),
    record("b.js", "./a.js", "./c.json", "./gone.js"),
    record("c.js", "./b.js", "#x"),
  ];

  test("count each pair of files and each importer once", () => {
    expect(graphFigures(records)).toEqual({
      modules: 3,
      edges: 3,
      packages: 1,
      builtinImports: 1,
      assetImports: 1,
      unresolvedImports: 1,
      otherImports: 1,
      cycles: 1,
      largestCycleModules: 2,
      mostImportedModules: [
        { name: "b.js", importers: 2 },
        { name: "a.js", importers: 1 },
      ],
      mostImportedPackages: [{ name: "left-pad", importers: 1 }],
    });
  });

  test("do not depend on the order of the records", () => {
    expect(graphFigures(records.toReversed())).toEqual(graphFigures(records));
  });

  test("of nothing are zero", () => {
    expect(graphFigures([])).toMatchObject({ modules: 0, edges: 0, cycles: 0 });
  });
});
