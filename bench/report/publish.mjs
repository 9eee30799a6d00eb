/**
 * `npm run bench:publish -- RECORDS.json ...`: makes the figures of the documentation from a run:
 * docs/charts/*.svg with the records beside them, the tables of README.md and the aims of
 * docs/performance.md. Several files are joined; a case in a later one replaces that of an earlier.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { CHARTS, writeCharts } from "./charts.mjs";
import { aimsBlock, figuresBlock, replaceBlock } from "./figures.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const BLOCKS = [
  { file: "README.md", mark: "figures", make: figuresBlock },
  { file: "docs/performance.md", mark: "aims", make: aimsBlock },
];

function readRecords(files) {
  const byName = new Map();
  for (const record of files.flatMap((file) => JSON.parse(readFileSync(file, "utf8")))) {
    byName.set(`${record.suite} · ${record.case}`, record);
  }
  return [...byName.values()];
}

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("Usage: npm run bench:publish -- RECORDS.json ...");
  process.exitCode = 2;
} else {
  const records = readRecords(files);
  writeCharts(records, CHARTS);
  writeFileSync(join(CHARTS, "records.json"), `${JSON.stringify(records)}\n`);
  for (const { file, mark, make } of BLOCKS) {
    const path = join(ROOT, file);
    writeFileSync(path, replaceBlock(readFileSync(path, "utf8"), mark, make(records)));
  }
}
