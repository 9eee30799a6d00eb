/**
 * `node bench/report/charts.mjs RECORDS.json [FOLDER]`: draws the charts of a run, one file a
 * suite, into docs/charts. Everything in them comes from the records.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { barsOf, drawPanel, panelHeight } from "./bars.mjs";
import { drawLines } from "./lines.mjs";
import { page, text } from "./svg.mjs";
import { machineWords } from "./words.mjs";

/** Where the charts of the documentation are. */
export const CHARTS = fileURLToPath(new URL("../../docs/charts/", import.meta.url));

const WIDTH = 880;
const MARGIN = 16;
const HEAD = 56;
const GAP = 14;

/** @typedef {import("../record.mjs").BenchRecord & { machine: object }} PublishedRecord */

/** Groups in the order of their first record. */
function grouped(records, keyOf) {
  const groups = new Map();
  for (const record of records) {
    const key = keyOf(record);
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return groups;
}

/** All cases of a suite, a panel of bars each. */
function drawSuite(suite, records) {
  const panels = [...grouped(records, ({ group }) => group).values()].filter(
    (each) => barsOf(each).length > 0,
  );
  let y = HEAD;
  const parts = [
    text(MARGIN, 24, suite, { class: "title" }),
    text(
      MARGIN,
      42,
      `${machineWords(records[0].machine)}; medians, thin lines from least to most`,
      {
        class: "quiet small",
      },
    ),
  ];
  for (const panel of panels) {
    parts.push(drawPanel(panel, { x: MARGIN, y, width: WIDTH - 2 * MARGIN }));
    y += panelHeight(barsOf(panel).length) + GAP;
  }
  return page({ width: WIDTH, height: y, title: `Figures of the suite ${suite}`, parts });
}

/**
 * The charts of a list of records, by the name of their file.
 *
 * @param {readonly PublishedRecord[]} records
 * @returns {Map<string, string>}
 */
export function drawCharts(records) {
  const charts = new Map();
  for (const [suite, each] of grouped(records, (record) => record.suite)) {
    charts.set(`${suite}.svg`, drawSuite(suite, each));
    const title = "Messages a second between two processes, by the size of a message";
    const lines = suite === "node-to-node" ? drawLines(each, title) : undefined;
    if (lines !== undefined) charts.set("node-to-node-sizes.svg", lines);
  }
  return charts;
}

/**
 * Draws into a folder.
 *
 * @param {readonly PublishedRecord[]} records
 * @param {string} folder
 */
export function writeCharts(records, folder) {
  mkdirSync(folder, { recursive: true });
  for (const [file, chart] of drawCharts(records)) writeFileSync(join(folder, file), chart);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, folder = CHARTS] = process.argv.slice(2);
  if (file === undefined) {
    console.error("Usage: node bench/report/charts.mjs RECORDS.json [FOLDER]");
    process.exitCode = 2;
  } else {
    writeCharts(JSON.parse(readFileSync(file, "utf8")), folder);
  }
}
