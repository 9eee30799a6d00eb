/** Tables of the documentation, made from the records of a run. */

import { formatFigure, machineWords, outcomeOf } from "./words.mjs";

/**
 * @typedef {import("./charts.mjs").PublishedRecord} PublishedRecord
 *
 * @typedef {object} Table
 * @property {string} suite
 * @property {string} title
 * @property {readonly string[]} peers a column each, those that have a figure somewhere
 * @property {(name: string) => boolean} [includes] by the name of a case; all without
 */

/** The tables of README.md; the charts have what is left out here. @type {readonly Table[]} */
const TABLES = [
  {
    suite: "node-to-node",
    title: "two processes on loopback",
    peers: ["disterl", "zeromq", "nats", "grpc", "ws", "socket-write", "socket-batched"],
    includes: (name) => !name.includes("call"),
  },
  {
    suite: "node-to-node",
    title: "calls between two processes",
    peers: ["grpc-unary", "nats-request", "moleculer"],
    includes: (name) => name.includes("call"),
  },
  {
    suite: "threads",
    title: "two threads of a process",
    peers: ["post-message", "message-channel", "broadcast-channel", "piscina"],
  },
  {
    suite: "latency",
    title: "idle round trips, pinned",
    peers: ["c", "c-inline", "blocking", "socket", "zeromq", "nats", "disterl", "post-message"],
    includes: (name) => !name.startsWith("send"),
  },
  {
    suite: "head-of-line",
    title: "urgent round trips beside bulk",
    peers: ["idle", "alone", "socket", "disterl"],
  },
  { suite: "formation", title: "forming a cluster", peers: ["disterl"] },
  {
    suite: "processes",
    title: "light processes",
    peers: ["beam", "nact", "effect", "xstate", "comedy"],
    includes: (name) => !name.startsWith("heavy"),
  },
  {
    suite: "processes",
    title: "heavy processes",
    peers: ["worker", "worker loaded", "piscina", "comedy", "comedy forked"],
    includes: (name) => name.startsWith("heavy"),
  },
  { suite: "supervision", title: "supervisors", peers: ["beam", "nact", "effect", "xstate"] },
  {
    suite: "isolation",
    title: "calls beside a heavy process at work",
    peers: ["stranger", "stranger alike", "idle"],
    includes: (name) => name.endsWith(", p99"),
  },
  {
    suite: "memory",
    title: "memory of processes",
    peers: ["beam", "nact", "effect", "xstate", "worker", "worker loaded", "piscina", "comedy"],
    includes: (name) => /^(?:light|heavy) process/.test(name),
  },
  {
    suite: "memory",
    title: "bytes and texts",
    peers: ["beam", "buffer", "shared-array-buffer", "map", "symbol", "worker", "worker shared"],
    includes: (name) => /^(?:shared binary|atoms|1 MiB)/.test(name),
  },
];

const row = (cells) => `| ${cells.join(" | ")} |`;

function formatTable(records, { title, peers }) {
  const columns = peers.filter((name) => records.some((record) => record.peers[name]));
  const cellOf = (record, name) => {
    const peer = record.peers[name];
    if (peer === undefined) return "-";
    return `${formatFigure(peer.median)} (ours ${record.ratios[name].toFixed(2)}x)`;
  };
  const lines = records.map((record) => {
    const { median, min, max } = record.ours;
    const ours = `${formatFigure(median)} (${formatFigure(min)} .. ${formatFigure(max)})`;
    return row([
      `${record.case}, ${record.unit}`,
      ours,
      ...columns.map((name) => cellOf(record, name)),
    ]);
  });
  return [row([title, "ours", ...columns]), row(["---", "---", ...columns.map(() => "---")])]
    .concat(lines)
    .join("\n");
}

/** How many rounds a list was measured with, as a span when cases differ. */
function roundsOf(records) {
  const counts = records.flatMap(({ ours }) => (ours ? [ours.runs.length] : []));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${most} rounds` : `${least} to ${most} rounds`;
}

/**
 * The tables of README.md.
 *
 * @param {readonly PublishedRecord[]} records
 */
export function figuresBlock(records) {
  const tables = TABLES.map((table) => {
    const { includes = () => true, suite } = table;
    const chosen = records.filter((each) => each.suite === suite && includes(each.case));
    const measured = chosen.filter(({ ours }) => ours !== undefined);
    return measured.length === 0 ? undefined : formatTable(measured, table);
  });
  return [
    `Measured by \`npm run bench\`, ${roundsOf(records)}: ${machineWords(records[0].machine)}.`,
    "Ours and the rivals in turn, fresh processes, every message checked, counted on arrival.",
    "Medians, ours with (min .. max); a ratio above 1 says that ours is better. Quote the ratios:",
    "absolute figures move with the machine.",
    "",
    tables.filter((table) => table !== undefined).join("\n\n"),
  ].join("\n");
}

/**
 * The table of docs/performance.md: every aim that a record carries, and what was reached.
 *
 * @param {readonly PublishedRecord[]} records
 */
export function aimsBlock(records) {
  const lines = records.flatMap((record) =>
    [record.target, ...(record.furtherTargets ?? [])].flatMap((target) => {
      const outcome = target && outcomeOf(record, target);
      if (outcome === undefined) return [];
      const verdict = outcome.isMet ? "met" : "**not met**";
      return [row([`${record.suite} · ${record.case}`, outcome.aim, outcome.reached, verdict])];
    }),
  );
  return [row(["case", "aim", "reached", ""]), row(["---", "---", "---", "---"]), ...lines].join(
    "\n",
  );
}

/**
 * Replaces what stands between `<!-- mark -->` and `<!-- /mark -->`.
 *
 * @param {string} text
 * @param {string} mark
 * @param {string} content
 */
export function replaceBlock(text, mark, content) {
  const [open, close] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`];
  const start = text.indexOf(open);
  const end = text.indexOf(close);
  if (start < 0 || end < start) throw new Error(`no block between ${open} and ${close}`);
  return `${text.slice(0, start + open.length)}\n\n${content}\n\n${text.slice(end)}`;
}
