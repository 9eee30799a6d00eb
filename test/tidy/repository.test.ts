import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatFindings, readRepository } from "./repository.ts";
import { RULES } from "./rules.ts";

const files = readRepository(join(import.meta.dirname, "../.."));

describe("the repository", () => {
  test("is read whole", () => {
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["package.json", "native/Cargo.toml", ".npmrc"]));
  });

  test.each([...RULES])("%s", (_name, rule) => {
    const findings = rule(files);
    expect(findings, formatFindings(findings)).toHaveLength(0);
  });
});
