/**
 * `npm run bench -- calibrate [OPTION ...] [--quick] [--rounds N]`: tries values of the options
 * that size chunks, queues, rings, drains and credit, one option at a time and the others at their
 * defaults, and chooses one value of each by a stated rule.
 *
 * The rule: a value may cost at most a tenth of the best rate of each stream. Of those that do not,
 * the one with the lowest p99 of a ping beside bulk is chosen; the default stays unless another is
 * better by more than a tenth, since less than that is the machine's mood.
 */

import { parseArgs } from "node:util";

import { UsageError } from "./arguments.mjs";
import { createPair } from "./cluster/pair.mjs";
import { withChildren } from "./processes.mjs";
import { summarise } from "./statistics.mjs";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What is tried of each option. */
const VALUES = Object.freeze({
  chunkBytes: [16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB],
  unsentBytes: [32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, MIB],
  ringBytes: [64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, MIB],
  drainBudgetMs: [1, 2, 4, 8, 16],
  windowBytes: [256 * KIB, 512 * KIB, MIB, 2 * MIB, 4 * MIB],
});

/** Streams whose rate must not suffer. */
const STREAMS = [
  { name: "64 B", kind: "bytes", bytes: 64 },
  { name: "8 KiB", kind: "bytes", bytes: 8 * KIB },
  { name: "1 MiB", kind: "bytes", bytes: MIB },
];
const BULK_BYTES = MIB;

/** Share of the best rate that a value may cost, and gain below which the default stays. */
const TOLERANCE = 0.1;

const OURS = {
  receiver: new URL("cluster/ours/receiver.mjs", import.meta.url),
  sender: new URL("cluster/ours/sender.mjs", import.meta.url),
};
const PING = {
  receiver: new URL("cluster/head-of-line/receiver.mjs", import.meta.url),
  sender: new URL("cluster/head-of-line/sender.mjs", import.meta.url),
};

function measureStream(payload, tuning, timing) {
  const parameters = { payload, bytes: "view", tuning };
  return createPair({ name: "ours", ...OURS, listener: "receiver", timing, parameters }).measure();
}

/** p99 of a ping beside bulk, in microseconds, and the bulk's rate. */
function measurePing(tuning, timing) {
  const parameters = { bulkBytes: BULK_BYTES, isPinging: true, timing, tuning };
  return withChildren(timing.deadlineMs, async (group) => {
    const receiver = group.startNode("receiver", PING.receiver, parameters);
    const { address } = await receiver.event("listening");
    const sender = group.startNode("sender", PING.sender, { ...parameters, address });
    const both = Promise.all([sender.event("pings"), receiver.event("bulk")]);
    const [pings, bulk] = await Promise.race([both, receiver.failure(), sender.failure()]);
    return { p99: pings.p99, bulk: bulk.messages / bulk.seconds };
  });
}

/** All figures of one value, once. */
async function takeTurn(tuning, timing) {
  const turn = {};
  for (const stream of STREAMS) turn[stream.name] = await measureStream(stream, tuning, timing);
  const { p99, bulk } = await measurePing(tuning, timing);
  return { ...turn, "bulk beside pings": bulk, "ping p99": p99 };
}

/** Medians of a value's turns, by figure. */
function mediansOf(turns) {
  const names = Object.keys(turns[0]);
  return Object.fromEntries(
    names.map((name) => [name, summarise(turns.map((turn) => turn[name])).median]),
  );
}

/**
 * The value to take, by the rule above.
 *
 * @param {Map<number, Record<string, number>>} figures medians by value
 * @param {number} standing the default
 */
function choose(figures, standing) {
  const rates = Object.keys(figures.get(standing)).filter((name) => name !== "ping p99");
  const bestOf = (name) => Math.max(...[...figures.values()].map((each) => each[name]));
  const worstShare = (each) => Math.min(...rates.map((name) => each[name] / bestOf(name)));
  const entries = [...figures];
  const fast = entries.filter(([, each]) => worstShare(each) >= 1 - TOLERANCE);
  // Where each value costs something, the one that costs least in its worst stream goes on alone.
  const left =
    fast.length > 0
      ? fast
      : [entries.reduce((a, b) => (worstShare(b[1]) > worstShare(a[1]) ? b : a))];
  const kindest = left.reduce((a, b) => (b[1]["ping p99"] < a[1]["ping p99"] ? b : a));
  const stays = left.find(([value]) => value === standing);
  const isBetter = kindest[1]["ping p99"] < (1 - TOLERANCE) * figures.get(standing)["ping p99"];
  return stays !== undefined && !isBetter ? standing : kindest[0];
}

function sizeText(option, value) {
  if (option.endsWith("Ms")) return `${value} ms`;
  return value >= MIB ? `${value / MIB} MiB` : `${value / KIB} KiB`;
}

function tableOf(option, figures, standing, chosen) {
  const names = Object.keys(figures.get(standing));
  const lines = [["", ...names.map((name) => (name === "ping p99" ? `${name}, µs` : `${name}/s`))]];
  for (const [value, medians] of figures) {
    const marks = [value === standing && "default", value === chosen && "chosen"].filter(Boolean);
    const label = [sizeText(option, value), marks.length > 0 && `(${marks.join(", ")})`];
    const cells = names.map((name) => Math.round(medians[name]).toLocaleString("en-US"));
    lines.push([label.filter(Boolean).join(" "), ...cells]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const format = (line) =>
    line
      .map((cell, column) => cell[column === 0 ? "padEnd" : "padStart"](widths[column]))
      .join("  ");
  return lines.map(format).join("\n");
}

/** Turns of all values, round by round, so that a mood of the machine meets all of them. */
async function sweep(option, rounds, timing) {
  const turns = new Map(VALUES[option].map((value) => [value, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [value, list] of turns) list.push(await takeTurn({ [option]: value }, timing));
  }
  return new Map([...turns].map(([value, list]) => [value, mediansOf(list)]));
}

function parseWords(words) {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { quick: { type: "boolean" }, rounds: { type: "string" } },
  });
  const unknown = positionals.find((name) => !(name in VALUES));
  if (unknown !== undefined) {
    const known = Object.keys(VALUES).join(", ");
    throw new UsageError(`calibrate has no option "${unknown}"; it has: ${known}`);
  }
  return {
    options: positionals.length === 0 ? Object.keys(VALUES) : positionals,
    rounds: Number(values.rounds ?? 3),
    isQuick: values.quick === true,
  };
}

/**
 * @param {readonly string[]} words behind `calibrate` on the command line
 * @param {Record<"quick" | "full", import("./suites.mjs").Timing>} timings
 */
export async function calibrate(words, timings) {
  const { options, rounds, isQuick } = parseWords(words);
  const { FOUNDATION_DEFAULTS } = await import("../dist/ts/kernel/options.js");
  for (const option of options) {
    const standing = FOUNDATION_DEFAULTS[option];
    const figures = await sweep(option, rounds, isQuick ? timings.quick : timings.full);
    const chosen = choose(figures, standing);
    console.log(`\ncalibrate · ${option}, median of ${rounds}, bytes: "view"`);
    console.log(tableOf(option, figures, standing, chosen));
  }
}
