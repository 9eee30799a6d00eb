import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PAGES = [
  "capture",
  "discovery",
  "ecosystems",
  "membership",
  "memory",
  "messages",
  "migrate-libcluster",
  "processes",
  "schedulers",
  "topology",
];

/** A program ends by itself; one that hangs is stopped here. Unit: ms. */
const PROGRAM_LIMIT_MS = 60_000;

/** Below the package, so that programs find it by its name. */
const build = join(ROOT, "build");
mkdirSync(build, { recursive: true });
const folder = mkdtempSync(join(build, "docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Program {
  readonly page: string;
  readonly number: number;
  readonly path: string;
}

/**
 * Writes the blocks of a page: one whose first line is `// name.mjs` under that name, for the
 * others; one that begins with an import is a program.
 */
function programsOf(page: string): Program[] {
  const text = readFileSync(join(ROOT, "docs", `${page}.md`), "utf8");
  const programs: Program[] = [];
  mkdirSync(join(folder, page));
  [...text.matchAll(/```js\n([\s\S]*?)```/g)].forEach(([, code = ""], index) => {
    const name = /^\/\/ (\w+\.mjs)/.exec(code)?.[1];
    const path = join(folder, page, name ?? `block-${index + 1}.mjs`);
    writeFileSync(path, code);
    if (code.startsWith("import ")) programs.push({ page, number: index + 1, path });
  });
  return programs;
}

const programs = PAGES.flatMap(programsOf);

test.each(PAGES)("docs/%s.md has a program that can be run", (page) => {
  expect(programs.some((program) => program.page === page)).toBe(true);
});

test.each(programs)("block $number of $page runs and ends by itself", async ({ path }) => {
  const started = promisify(execFile)(process.execPath, [path], {
    cwd: ROOT,
    timeout: PROGRAM_LIMIT_MS,
  });
  await expect(started).resolves.toMatchObject({ stderr: "" });
});
