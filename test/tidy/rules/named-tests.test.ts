import { expect, test } from "vitest";
import { objections } from "../planted.ts";
import { namedTests } from "./named-tests.ts";

function page(...cells: readonly string[]): Record<string, string> {
  const rows = cells.map((cell, at) => `| ${at + 1} | there | here | ${cell} |`);
  return { "docs/overlays.md": ["## What does not happen here", ...rows].join("\n") };
}

const TESTS = {
  "test/integration/cuts.test.ts": 'test("#1: is relayed", () => {});',
  "test/faults/cuts.test.ts": 'test("a cut heals", () => {});',
  "native/sim/tests/cuts.rs": "#[test]\nfn a_cut_heals() {}\nfn nothing() {}",
};

test("tests that are there may be named", () => {
  const names = page(
    '`cuts`: "#1"',
    '`faults/cuts`: "a cut heals"',
    '`native/sim/tests/cuts.rs`: "a_cut_heals"',
    "`cuts`; `faults/cuts`",
    "nothing to test: there is none",
  );
  expect(objections(namedTests, { ...names, ...TESTS })).toEqual([]);
});

test("others may not, nor none at all", () => {
  const names = page(
    '`cuts`: "#2"',
    "`cut`",
    '`native/sim/tests/cuts.rs`: "nothing"',
    '`cuts`: "#1", "is sent"',
    "a test",
  );
  const lines = [2, 3, 4, 5, 6].map((line) => `docs/overlays.md:${line}`);
  expect(objections(namedTests, { ...names, ...TESTS })).toEqual(lines);
});
