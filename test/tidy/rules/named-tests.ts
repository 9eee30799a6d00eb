import type { Finding, Rule, SourceFile } from "../repository.ts";

const DOCUMENT = "docs/overlays.md";
const HEADING = "## What does not happen here";
/** A file of tests in backticks, then the titles meant in it, if not all of it is. */
const REFERENCE = /`([^`]+)`(?:: ((?:"[^"]+"(?:, )?)+))?/g;

/** Defects that are said not to happen here by a test that is not there. */
export const namedTests: Rule = (files) => {
  const page = files.find(({ path }) => path === DOCUMENT);
  if (page === undefined) return [];
  const lines = page.text.split("\n");
  const begin = lines.indexOf(HEADING);
  const length = lines.slice(begin + 1).findIndex((line) => line.startsWith("## "));
  const end = length < 0 ? lines.length : begin + 1 + length;
  return lines.slice(begin, end).flatMap((line, at): Finding[] => {
    if (!/^\| \d+ \|/.test(line)) return [];
    const cells = line.split(" | ");
    const found = problems(cells.at(-1) ?? "", files);
    return found.map((reason) => ({ path: DOCUMENT, line: begin + at + 1, reason }));
  });
};

function problems(cell: string, files: readonly SourceFile[]): string[] {
  const references = [...cell.matchAll(REFERENCE)];
  if (references.length === 0 && !/^nothing to test/.test(cell)) return ["names no test"];
  return references.flatMap(([, name = "", titles = ""]) => {
    const path = pathOf(name);
    const file = files.find((it) => it.path === path);
    if (file === undefined) return [`there is no ${path}`];
    return [...titles.matchAll(/"([^"]+)"/g)].flatMap(([, title = ""]) =>
      hasTest(file, title) ? [] : [`${path} has no test "${title}"`],
    );
  });
}

function pathOf(name: string): string {
  if (name.endsWith(".rs")) return name;
  return name.includes("/") ? `test/${name}.test.ts` : `test/integration/${name}.test.ts`;
}

function hasTest({ path, text }: SourceFile, title: string): boolean {
  if (path.endsWith(".rs")) return text.includes(`#[test]\nfn ${title}()`);
  return title.startsWith("#") ? text.includes(`"${title}: `) : text.includes(`"${title}`);
}
