import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { unproven } from "../parity/ran.mjs";
import { parityOf, parityPage } from "./parity.ts";
import { readRepository } from "./repository.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = "docs/parity-1x.md";

describe("parity with Foundation 1.x", () => {
  const files = readRepository(ROOT);
  const parity = parityOf(files);

  test("is said in titles that are right", () => {
    expect(parity.problems).toEqual([]);
  });

  test("is written down as the titles say it", () => {
    const page = parityPage(parity);
    if (process.env["PARITY_WRITE"] === "1") writeFileSync(join(ROOT, PAGE), page);
    else expect(files.find(({ path }) => path === PAGE)?.text).toBe(page);
  });

  // What the check itself would miss, had it no eyes.
  test("finds a test that covers too many, an id that is none, one that is in both", () => {
    const at = (path: string, text: string) => ({ path, text });
    const planted = parityOf([
      at("test/unit/a.test.ts", 'test("a [F001 F002 F003 F004]", f); test("b [F700]", f);'),
      at("test/unit/helper.ts", 'const no = "c [F009]";'),
      at("docs/parity-inapplicable.md", "| F001 | why |\n"),
    ]);
    expect(planted.problems).toEqual([
      'test/unit/a.test.ts: "a" covers 4',
      "test/unit/a.test.ts: there is no F700",
      "F001 does not apply and is covered by a test",
    ]);
    expect(planted.covers.has("F009")).toBe(false);
    const page = parityPage(planted);
    expect(page).toContain("| F004 | unit/a.test.ts | a |\n| F005 | not yet | |\n");
  });

  test("finds a line whose test was not there, did not run, or failed in one of its cases", () => {
    const page = [
      "| F001 | unit/a.test.ts | a |",
      "| F002 | unit/a.test.ts | b %s |",
      "| F003 | unit/a.test.ts | gone |",
      "| F004 | does not apply | why |",
      "| F005 | not yet | |",
      "| F006 | unit/b.test.ts | c |",
    ].join("\n");
    const at = (title: string, state: string) => ({ path: "test/unit/a.test.ts", title, state });
    const ran = [
      at("a [F001]", "passed"),
      at("b one [F002]", "passed"),
      at("b two [F002]", "failed"),
      at("c [F006]", "passed"),
    ];
    expect(unproven(page, ran)).toEqual([
      "F002: test/unit/a.test.ts > b two [F002]: failed",
      "F003: no test of test/unit/a.test.ts ran",
      "F005: no test of ours",
      "F006: no test of test/unit/b.test.ts ran",
    ]);
    expect(unproven(page, [at("a [F001]", "skipped")])).toContain(
      "F001: test/unit/a.test.ts > a [F001]: skipped",
    );
    expect(unproven("nothing", [])).toEqual(["docs/parity-1x.md has no lines"]);
  });
});
