import type { SourceFile } from "./repository.ts";

/** Tests and properties of Foundation 1.x, by their ids F001 to F596. */
const IDS_MAX = 596;
/** Tests of the original that one of ours may stand for. */
const IDS_PER_TEST_MAX = 3;
/** Tests of the original that may be of no use here. */
const INAPPLICABLE_MAX = 40;

const TITLE = /"((?:[^"\\\n]|\\.)*?)\s*\[(F\d{3}(?: F\d{3})*)\]((?:[^"\\\n]|\\.)*)"/g;

/** What covers a test of the original. */
interface Cover {
  readonly path: string;
  readonly title: string;
}

/** Which tests of ours cover which of the original, and what is wrong with how they say so. */
export interface Parity {
  readonly covers: ReadonlyMap<string, Cover>;
  readonly inapplicable: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

function idOf(number: number): string {
  return `F${String(number).padStart(3, "0")}`;
}

/** Reads the ids in the titles of tests, and the list of those that do not apply. */
export function parityOf(files: readonly SourceFile[]): Parity {
  const covers = new Map<string, Cover>();
  const problems: string[] = [];
  const known = new Set(Array.from({ length: IDS_MAX }, (_, index) => idOf(index + 1)));
  for (const { path, text } of files) {
    if (!/^test\/(?:unit|property|contract|integration)\/.*\.test\.ts$/.test(path)) continue;
    for (const [, before = "", list = "", after = ""] of text.matchAll(TITLE)) {
      const ids = list.split(" ");
      const title = `${before}${after}`.trim();
      if (ids.length > IDS_PER_TEST_MAX) problems.push(`${path}: "${title}" covers ${ids.length}`);
      for (const id of ids) {
        if (!known.has(id)) problems.push(`${path}: there is no ${id}`);
        covers.set(id, { path, title });
      }
    }
  }
  const list = files.find(({ path }) => path === "docs/parity-inapplicable.md")?.text ?? "";
  const rows = [...list.matchAll(/^\| (F\d{3}) \| (.+) \|$/gm)];
  const inapplicable = new Map(rows.map(([, id = "", why = ""]) => [id, why]));
  for (const id of inapplicable.keys()) {
    if (covers.has(id)) problems.push(`${id} does not apply and is covered by a test`);
  }
  if (inapplicable.size > INAPPLICABLE_MAX) problems.push(`${inapplicable.size} do not apply`);
  return { covers, inapplicable, problems };
}

/** The page that lists every test of the original, a line each. */
export function parityPage({ covers, inapplicable }: Parity): string {
  const open = IDS_MAX - covers.size - inapplicable.size;
  const rows = Array.from({ length: IDS_MAX }, (_, index) => {
    const id = idOf(index + 1);
    const cover = covers.get(id);
    if (cover !== undefined) {
      const title = cover.title.replaceAll("|", "/");
      return `| ${id} | ${cover.path.slice("test/".length)} | ${title} |`;
    }
    const why = inapplicable.get(id);
    return why === undefined ? `| ${id} | not yet | |` : `| ${id} | does not apply | ${why} |`;
  });
  return [
    "# Parity with Foundation 1.x",
    "",
    "Every test and property of Foundation 1.x (v0.1.4), by its id, with the test of ours",
    "that covers it. A test of ours says by the ids in its title which those are, three at",
    "most; `test/tidy` writes this page from the titles with",
    "`PARITY_WRITE=1 npx vitest run --project tidy parity`, and fails where they differ.",
    "",
    `${covers.size} covered, ${inapplicable.size} do not apply, ${open} not yet.`,
    "",
    "| id | test | what it says |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
