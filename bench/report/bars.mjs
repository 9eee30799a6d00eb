/** A panel of bars for everything that stands beside one another in one case. */

import { fittingScale } from "./scale.mjs";
import { element, text } from "./svg.mjs";
import { formatFigure } from "./words.mjs";

const BAR = 14;
const ROW = 20;
const HEAD = 42;
const FOOT = 12;
const NAMES_WIDTH = 150;
const LABEL_WIDTH = 150;

/**
 * One bar.
 *
 * @typedef {object} Bar
 * @property {string} name
 * @property {boolean} isOurs
 * @property {import("../statistics.mjs").Summary} summary
 * @property {string} remark behind the figure
 *
 * @typedef {import("../record.mjs").BenchRecord} BenchRecord
 */

/** What to call a variant of ours beside its rivals: what its name adds to that of its group. */
function variantName({ case: name, group }, isOnly) {
  if (isOnly || name === group) return "ours";
  const added = name.startsWith(group) ? name.slice(group.length) : name;
  return `ours, ${added.replace(/^[ ,]+/, "").replace(/, (?:p\d+|ping p\d+|bulk)$/, "")}`;
}

/**
 * The bars of a group of records that share their rivals, best first. Ratios are those of the
 * first variant of ours.
 *
 * @param {readonly BenchRecord[]} records
 * @returns {Bar[]}
 */
export function barsOf(records) {
  const measured = records.filter(({ ours }) => ours !== undefined);
  const isOnly = measured.length === 1;
  const ours = measured.map((record) => ({
    name: variantName(record, isOnly),
    isOurs: true,
    summary: record.ours,
    remark: "",
  }));
  const [first] = records;
  const rivals = Object.entries(first.peers).map(([name, summary]) => ({
    name,
    isOurs: false,
    summary,
    remark: first.ratios[name] === undefined ? "" : ` · ours ${formatRatio(first.ratios[name])}`,
  }));
  const direction = first.better === "higher" ? -1 : 1;
  return [...ours, ...rivals].sort(
    (left, right) => direction * (left.summary.median - right.summary.median),
  );
}

function formatRatio(ratio) {
  return `${ratio >= 100 ? Math.round(ratio) : ratio.toPrecision(2)}x`;
}

/** The height that a panel of so many bars takes. */
export const panelHeight = (bars) => HEAD + bars * ROW + FOOT;

function drawAxis(scale, height) {
  return scale.ticks.flatMap((tick) => {
    const x = NAMES_WIDTH + scale.place(tick);
    return [
      element("line", { class: "grid", x1: x, x2: x, y1: HEAD - 4, y2: height - FOOT }),
      text(x, HEAD - 8, tick === 0 ? "0" : formatTick(tick), {
        class: "quiet small",
        "text-anchor": "middle",
      }),
    ];
  });
}

const formatTick = (tick) => formatFigure(tick).replace(/\.0+(?= |$)/, "");

function drawBar(bar, row, scale) {
  const y = HEAD + row * ROW;
  const end = NAMES_WIDTH + scale.place(bar.summary.median);
  const [low, high] = [bar.summary.min, bar.summary.max].map(scale.place);
  const middle = y + BAR / 2;
  const label = `${formatFigure(bar.summary.median)}${bar.remark}`;
  return [
    text(NAMES_WIDTH - 8, y + 11, bar.name, {
      class: bar.isOurs ? "our-text" : "",
      "text-anchor": "end",
    }),
    element("rect", {
      class: bar.isOurs ? "ours" : "rival",
      x: NAMES_WIDTH,
      y,
      width: Math.max(1, end - NAMES_WIDTH),
      height: BAR,
      rx: 2,
    }),
    element("line", {
      class: "range",
      x1: NAMES_WIDTH + Math.max(0, low),
      x2: NAMES_WIDTH + high,
      y1: middle,
      y2: middle,
    }),
    text(Math.max(end, NAMES_WIDTH + high) + 6, y + 11, label, { class: "small" }),
  ];
}

/**
 * Draws a group of records at a place.
 *
 * @param {readonly BenchRecord[]} records
 * @param {{ x: number, y: number, width: number }} place
 */
export function drawPanel(records, { x, y, width }) {
  const bars = barsOf(records);
  const [{ group, unit, better }] = records;
  const height = panelHeight(bars.length);
  const values = bars.flatMap(({ summary }) => [summary.min, summary.median, summary.max]);
  const scale = fittingScale(values, width - NAMES_WIDTH - LABEL_WIDTH);
  const how = `${unit}, ${better} is better${scale.isLogarithmic ? ", powers of ten" : ""}`;
  const title = [
    element("tspan", { class: "title" }, escapeless(group)),
    element("tspan", { class: "quiet small", dx: 8 }, escapeless(how)),
  ].join("");
  const parts = [
    element("text", { x: 0, y: 16 }, title),
    ...drawAxis(scale, height),
    ...bars.flatMap((bar, row) => drawBar(bar, row, scale)),
  ];
  return element("g", { transform: `translate(${x} ${y})` }, `\n${parts.join("\n")}\n`);
}

/** Names of cases and units have none of the letters that mean something in SVG. */
function escapeless(words) {
  if (/[<>&]/.test(words)) throw new Error(`"${words}" cannot stand in a picture`);
  return words;
}
