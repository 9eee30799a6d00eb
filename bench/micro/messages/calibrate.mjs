/**
 * Keeps what a run of the suite has measured beside it, and says what `auto` should do by it:
 *
 *     npm run bench -- messages --json RECORDS.json
 *     node bench/micro/messages/calibrate.mjs RECORDS.json
 */

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const KEPT = new URL("calibration.json", import.meta.url);
const COST = "processor time";

/**
 * @typedef {object} Row
 * @property {string} size
 * @property {string} place
 * @property {string} way
 * @property {number} messagesPerSecond the median
 * @property {number} costUs the median
 * @property {number} [costUsMin]
 * @property {number} [costUsMax]
 */

/**
 * What a run says: one row for each size, place and way.
 *
 * @returns {Row[]}
 * @param {import("../../record.mjs").BenchRecord[]} records
 */
export function rowsOf(records) {
  const rows = new Map();
  for (const { case: name, ours } of records) {
    const [size, place, way, figure] = name.split(", ");
    if (ours === undefined) throw new Error(`${name} has no figure`);
    const key = `${size}, ${place}, ${way}`;
    const row = rows.get(key) ?? { size, place, way, messagesPerSecond: 0, costUs: 0 };
    rows.set(key, row);
    if (figure === COST) {
      row.costUs = rounded(ours.median);
      row.costUsMin = rounded(ours.min);
      row.costUsMax = rounded(ours.max);
    } else {
      row.messagesPerSecond = rounded(ours.median);
    }
  }
  return [...rows.values()];
}

const rounded = (figure) => Number(figure.toPrecision(3));

/** Length of a size such as `16 KiB`. */
export function bytesOf(size) {
  const [count, unit] = size.split(" ");
  return Number(count) << { B: 0, KiB: 10, MiB: 20 }[unit];
}

/**
 * The size from which on, in all larger ones too, counted bytes cost less in place than sent: the
 * dearest turn less than the cheapest.
 *
 * @param {readonly Row[]} rows
 */
export function countedBytesMin(rows) {
  const rowOf = (size, way) =>
    rows.find((row) => row.size === size && row.place === "other isolate" && row.way === way);
  const sizes = [...new Set(rows.map(({ size }) => size))];
  const last = sizes.findLastIndex(
    (size) => rowOf(size, "counted").costUsMax >= rowOf(size, "direct").costUsMin,
  );
  return bytesOf(sizes[last + 1]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const records = JSON.parse(readFileSync(process.argv[2], "utf8"));
  const rows = rowsOf(records);
  const kept = { machine: records[0].machine, rows };
  writeFileSync(KEPT, `${JSON.stringify(kept, undefined, 2)}\n`);
  process.stdout.write(`COUNTED_BYTES_MIN: ${countedBytesMin(rows)}\n`);
}
