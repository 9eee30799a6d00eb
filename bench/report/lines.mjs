/** A chart of lines over the payload's size, both axes by powers: how contenders scale. */

import { logarithmicScale } from "./scale.mjs";
import { element, HUE_COUNT, page, text } from "./svg.mjs";
import { formatFigure } from "./words.mjs";

const WIDTH = 880;
const HEIGHT = 520;
const MARGIN = { left: 150, right: 64, top: 56, bottom: 44 };
const LABEL_ROW = 14;

const UNITS = { B: 1, KiB: 1024, MiB: 1024 * 1024 };

/**
 * Bytes of a case's name such as `64 KiB view`; undefined for a case without a size.
 *
 * @param {string} name
 */
export function bytesOf(name) {
  const match = /^(\d+) (B|KiB|MiB)(?: view)?$/.exec(name);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2]];
}

/**
 * Points by contender, smallest payload first: `ours`, `ours, view`, and every rival.
 *
 * @param {readonly import("../record.mjs").BenchRecord[]} records
 * @returns {Map<string, { bytes: number, rate: number }[]>}
 */
export function seriesOf(records) {
  const series = new Map();
  const add = (name, bytes, rate) =>
    series.set(name, [...(series.get(name) ?? []), { bytes, rate }]);
  for (const record of records) {
    const bytes = bytesOf(record.case);
    if (bytes === undefined) continue;
    const isView = record.case !== record.group;
    if (record.ours !== undefined) add(isView ? "ours, view" : "ours", bytes, record.ours.median);
    if (isView) continue; // It has the rivals of its group once more.
    for (const [name, { median }] of Object.entries(record.peers)) add(name, bytes, median);
  }
  for (const points of series.values()) points.sort((left, right) => left.bytes - right.bytes);
  return series;
}

function formatBytes(bytes) {
  const [unit, size] = Object.entries(UNITS).findLast(([, each]) => bytes >= each);
  return `${bytes / size} ${unit}`;
}

/**
 * Moves labels apart that would lie on one another, keeping their order, and back up again where
 * that would push the last ones below `lowest`.
 *
 * @param {readonly number[]} places
 * @param {number} row the least distance
 * @param {number} lowest
 */
export function spreadLabels(places, row, lowest) {
  const sorted = places.map((y, index) => ({ y, index })).sort((left, right) => left.y - right.y);
  for (let index = 1; index < sorted.length; index += 1) {
    sorted[index].y = Math.max(sorted[index].y, sorted[index - 1].y + row);
  }
  let limit = lowest;
  for (const label of sorted.toReversed()) {
    label.y = Math.min(label.y, limit);
    limit = label.y - row;
  }
  const moved = [...places];
  for (const { y, index } of sorted) moved[index] = y;
  return moved;
}

function drawGrid(x, y, sizes) {
  const bottom = HEIGHT - MARGIN.bottom;
  const right = WIDTH - MARGIN.right;
  return [
    ...y.ticks.flatMap((tick) => {
      const at = bottom - y.place(tick);
      return [
        element("line", { class: "grid", x1: MARGIN.left, x2: right, y1: at, y2: at }),
        text(right + 10, at + 4, formatFigure(tick).replace(/\.0+(?= |$)/, ""), {
          class: "quiet small",
        }),
      ];
    }),
    ...sizes.map((bytes) =>
      text(MARGIN.left + x.place(bytes), bottom + 20, formatBytes(bytes), {
        class: "quiet small",
        "text-anchor": "middle",
      }),
    ),
  ];
}

/**
 * Draws the rate of every contender over the size of a message.
 *
 * @param {readonly import("../record.mjs").BenchRecord[]} records
 * @param {string} title
 * @returns {string | undefined} undefined when no record has a size
 */
export function drawLines(records, title) {
  const series = [...seriesOf(records)].filter(([, points]) => points.length > 1);
  if (series.length === 0) return undefined;
  const points = series.flatMap(([, each]) => each);
  const sizes = [...new Set(points.map(({ bytes }) => bytes))].sort((left, right) => left - right);
  const span = Math.log2(sizes.at(-1) / sizes[0]);
  const width = WIDTH - MARGIN.left - MARGIN.right;
  const x = { place: (bytes) => (Math.log2(bytes / sizes[0]) / span) * width };
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const y = logarithmicScale(
    points.map(({ rate }) => rate),
    height,
  );
  const at = ({ bytes, rate }) => [
    MARGIN.left + x.place(bytes),
    HEIGHT - MARGIN.bottom - y.place(rate),
  ];
  const labels = spreadLabels(
    series.map(([, each]) => at(each[0])[1]),
    LABEL_ROW,
    HEIGHT - MARGIN.bottom,
  );
  const parts = [
    text(MARGIN.left, 24, title, { class: "title" }),
    text(MARGIN.left, 42, "messages/s, both axes by powers", { class: "quiet small" }),
    ...drawGrid(x, y, sizes),
    ...series.flatMap(([name, each], index) =>
      drawSeries(name, each.map(at), labels[index], index),
    ),
  ];
  return page({ width: WIDTH, height: HEIGHT, title, parts });
}

function drawSeries(name, places, labelY, index) {
  const isOurs = name.startsWith("ours");
  const hue = index % HUE_COUNT;
  const style = isOurs ? "our-line" : `line hue-${hue}`;
  const [startX, startY] = places[0];
  const points = places.map(([x, y]) => `${Math.round(x)},${Math.round(y)}`).join(" ");
  const dashes = name === "ours" ? { "stroke-dasharray": "7 3" } : {};
  const lead = { x1: startX - 24, y1: labelY, x2: startX, y2: startY, opacity: 0.4 };
  return [
    element("polyline", { class: style, points, ...dashes }),
    element("line", { class: `${style} lead`, ...lead }),
    text(startX - 28, labelY + 4, name, {
      class: isOurs ? "our-text" : "",
      "text-anchor": "end",
    }),
    ...places.map(([cx, cy]) =>
      element("circle", { class: isOurs ? "ours" : `dot-${hue}`, cx, cy, r: 2.5 }),
    ),
  ];
}
