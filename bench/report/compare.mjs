/**
 * `npm run bench:report`: what changed between two lists of records, or between two builds that are
 * measured here in turn. Ends with 1 when a case got worse by more than the threshold and the
 * rounds of both do not overlap.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { compareRecords, formatComparison, mergeRecords } from "./comparison.mjs";
import { openTree } from "./trees.mjs";

const USAGE = `Usage: npm run bench:report -- BASE.json HEAD.json [--threshold SHARE]
       npm run bench:report -- BASE HEAD [suite ...] [options]

BASE and HEAD are commits, or folders that are built ("." is this one). Commits are measured by
the bench of this folder, folders by their own; ours alone, a round of one side and a round of the
other in turn.

Options:
  --rounds N         rounds of each build (default 5)
  --quick            short rounds: a look, not a verdict
  --case TEXT        only cases whose name contains TEXT
  --threshold SHARE  smallest change that counts (default 0.1)`;

const readRecords = (file) => JSON.parse(readFileSync(file, "utf8"));

/** One round of ours in a built tree, in processes of its own; 1 says that a contender failed. */
function measureOnce(tree, words, file) {
  const all = ["bench/run.mjs", ...words, "--ours-only", "--rounds", "1", "--json", file];
  try {
    execFileSync(process.execPath, all, { cwd: tree, stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    if (error.status !== 1) throw error;
  }
  return readRecords(file);
}

/** Rounds of both builds in turn; whose turn comes first changes with each. */
function measureInTurn(trees, words, rounds) {
  const folder = mkdtempSync(join(tmpdir(), "foundation-compare-"));
  const taken = { base: [], head: [] };
  try {
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? ["base", "head"] : ["head", "base"];
      for (const side of order) {
        console.error(`round ${round + 1}/${rounds} · ${side}`);
        taken[side].push(measureOnce(trees[side], words, join(folder, `${side}.json`)));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { base: mergeRecords(taken.base), head: mergeRecords(taken.head) };
}

function parseWords() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      quick: { type: "boolean", default: false },
      case: { type: "string" },
      threshold: { type: "string", default: "0.1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [base, head, ...suites] = positionals;
  const rounds = Number(values.rounds);
  const threshold = Number(values.threshold);
  if (!values.help) {
    if (head === undefined) throw new Error("two sides are needed: BASE and HEAD");
    if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error("--rounds is a whole number");
    if (!(threshold > 0 && threshold < 1)) throw new Error("--threshold is a share, like 0.1");
  }
  return { ...values, base, head, suites, rounds, threshold };
}

function takeLists(options) {
  const { base, head, suites } = options;
  if (base.endsWith(".json") && head.endsWith(".json")) {
    return { base: readRecords(base), head: readRecords(head) };
  }
  const say = (line) => console.error(line);
  const trees = { base: openTree(base, say), head: openTree(head, say) };
  const words = [...suites];
  if (options.quick) words.push("--quick");
  if (options.case !== undefined) words.push("--case", options.case);
  return measureInTurn(trees, words, options.rounds);
}

function main() {
  const options = parseWords();
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const lists = takeLists(options);
  const comparison = compareRecords(lists.base, lists.head, options);
  if (comparison.changes.length === 0) throw new Error("the two have no case in common");
  console.log(formatComparison(comparison));
  const worse = comparison.changes.filter(({ verdict }) => verdict === "worse");
  if (worse.length === 0) return 0;
  console.error(`\n${worse.length} of ${comparison.changes.length} cases got worse`);
  return 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`bench:report: ${error.message}`);
  process.exitCode = 2;
}
