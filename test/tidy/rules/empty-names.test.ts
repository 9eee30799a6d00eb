import { expect, test } from "vitest";
import { objections } from "../planted.ts";
import { emptyNames } from "./empty-names.ts";

test.each([
  "ts/kernel/utils.ts",
  "native/common/src/lib.rs",
  "test/test-helpers.ts",
  "bench/misc/x.mjs",
])("%s has an empty name", (path) => {
  expect(objections(emptyNames, { [path]: "" })).toEqual([`${path}:1`]);
});

test("a word that only contains one of them is a name", () => {
  expect(
    objections(emptyNames, { "ts/kernel/commonwealth.ts": "", "docs/utility.md": "" }),
  ).toEqual([]);
});
