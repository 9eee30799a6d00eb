import type { ImportCount } from "./graph.ts";
import { type IndexOutcome, symbolTotal } from "./outcome.ts";
import type { SkipReason } from "./record.ts";
import {
  type Column,
  formatBytes,
  formatCount,
  formatDuration,
  formatShare,
  formatTable,
} from "./table.ts";

/** Files of one kind that are named; the rest is a number. */
const LISTED_FILES = 5;

/** The whole report for people, line by line. */
export function reportLines(outcome: IndexOutcome, jsonFile: string | undefined): string[] {
  const sections = [
    corpusSection(outcome),
    problemSection(outcome),
    graphSection(outcome),
    workerSection(outcome),
    superviseSection(outcome),
    overlaySection(outcome),
    channelSection(outcome),
    timeSection(outcome),
    checkSection(outcome),
    furtherSection(jsonFile),
  ];
  return sections.filter((lines) => lines.length > 0).flatMap((lines) => ["", ...lines]);
}

const FIGURE_COLUMNS: readonly Column[] = [
  { title: "", align: "left" },
  { title: "", align: "right" },
  { title: "", align: "left" },
];

/** Rows of a name, a figure and a remark, under a heading. */
function figures(heading: string, rows: readonly (readonly string[])[]): string[] {
  return [
    heading,
    ...formatTable(FIGURE_COLUMNS, rows)
      .slice(1)
      .map((line) => `  ${line}`),
  ];
}

function corpusSection(outcome: IndexOutcome): string[] {
  const { cluster, symbols, corpus } = outcome;
  const modules = cluster.records.filter((record) => record.isModule).length;
  return figures(`Indexed ${corpus.root}`, [
    ["files", formatCount(cluster.records.length), `${formatCount(modules)} with module syntax`],
    ["bytes", formatCount(outcome.bytes), formatBytes(outcome.bytes)],
    [
      "symbols",
      formatCount(symbolTotal(outcome)),
      `${formatCount(symbols.functions)} functions, ${formatCount(symbols.classes)} classes, ` +
        `${formatCount(symbols.types)} types`,
    ],
    ["symbolic links", formatCount(corpus.symbolicLinks), "never followed"],
  ]);
}

const SKIP_TITLES: Readonly<Record<SkipReason, string>> = {
  unreadable: "unreadable",
  binary: "binary, not text",
  huge: "huge, above --file-bytes-max",
  "crashes-parser": "crashing the parser",
};

function problemSection({ skipped, unparsable }: IndexOutcome): string[] {
  const lines: string[] = [];
  for (const [reason, title] of Object.entries(SKIP_TITLES)) {
    const files = skipped.filter((file) => file.reason === reason);
    lines.push(...listed(`Skipped as ${title}`, files, ({ path, detail }) => [path, detail]));
  }
  const describe = ({ path, problem }: (typeof unparsable)[number]): string[] => [
    path,
    problem ?? "",
  ];
  lines.push(...listed("Indexed as far as the parser understood", unparsable, describe));
  return lines;
}

function listed<Item>(
  title: string,
  items: readonly Item[],
  describe: (item: Item) => string[],
): string[] {
  if (items.length === 0) return [];
  const named = items.slice(0, LISTED_FILES).map((item) => `  ${printable(describe(item))}`);
  const rest = items.length - named.length;
  const more = rest > 0 ? [`  and ${formatCount(rest)} more`] : [];
  return [`${title}: ${formatCount(items.length)}`, ...named, ...more];
}

/** Names and messages come from files; control characters in them stay off the terminal. */
function printable(parts: readonly string[]): string {
  return parts.join(": ").replace(/\p{Control}/gu, "\uFFFD");
}

function graphSection({ graph }: IndexOutcome): string[] {
  return [
    ...figures("Import graph", [
      ["modules", formatCount(graph.modules)],
      ["edges", formatCount(graph.edges), "from file to file"],
      ["packages", formatCount(graph.packages), "imported by name"],
      ["builtin imports", formatCount(graph.builtinImports), "modules of Node"],
      ["asset imports", formatCount(graph.assetImports), "JSON, addons, styles"],
      ["unresolved", formatCount(graph.unresolvedImports), "relative paths to no indexed file"],
      [
        "cycles",
        formatCount(graph.cycles),
        `the largest joins ${formatCount(graph.largestCycleModules)} files`,
      ],
    ]),
    ...mostImported("most imported files", graph.mostImportedModules),
    ...mostImported("most imported packages", graph.mostImportedPackages),
  ];
}

function mostImported(title: string, counts: readonly ImportCount[]): string[] {
  if (counts.length === 0) return [];
  const names = counts.map(({ name, importers }) => `    ${formatCount(importers)} x ${name}`);
  return [`  ${title}`, ...names.map((line) => printable([line]))];
}

function workerSection({ cluster, bytes }: IndexOutcome): string[] {
  const columns: Column[] = [
    { title: "worker", align: "left" },
    ...["pid", "files", "bytes", "share", "sent", "parsing", "memory"].map(
      (title): Column => ({ title, align: "right" }),
    ),
    { title: "", align: "left" },
  ];
  const rows = cluster.shares.map((share) => [
    share.name,
    String(share.processId ?? ""),
    formatCount(share.files),
    formatCount(share.bytes),
    formatShare(bytes === 0 ? 0 : share.bytes / bytes),
    formatBytes(share.sentContentBytes + share.sentHeaderBytes),
    share.summary === undefined ? "" : formatDuration(share.summary.parseMs),
    share.summary === undefined ? "" : formatBytes(share.summary.residentBytes),
    share.lostBecause === undefined ? "" : `lost: ${share.lostBecause}`,
  ]);
  return formatTable(columns, rows);
}

function overlaySection({ cluster: { overlay } }: IndexOutcome): string[] {
  if (overlay === undefined) return [];
  const { strategy, neighbours, members } = overlay;
  return figures("Overlay", [
    [strategy, formatCount(neighbours), `neighbours of the coordinator, of ${members} members`],
  ]);
}

function superviseSection({ cluster: { supervised } }: IndexOutcome): string[] {
  const { supervisors, parsers, feeders, collectors } = supervised;
  return figures("Supervised", [
    [
      "processes",
      formatCount(supervisors + parsers + feeders + collectors),
      `${supervisors} supervisors, ${parsers} parsers at workers, ` +
        `${feeders} feeders, ${collectors} collectors`,
    ],
    ["restarts", formatCount(supervised.restarts), "by the supervisors"],
    ["parser crashes", formatCount(supervised.parserCrashes), "with the node alive"],
    ["nodes lost", formatCount(supervised.nodeLosses), "told by DOWN of their parser"],
  ]);
}

function channelSection({ cluster, balances, bulk }: IndexOutcome): string[] {
  const columns: Column[] = [
    { title: "channel", align: "left" },
    { title: "messages", align: "right" },
    { title: "sent", align: "right" },
    { title: "received", align: "right" },
    { title: "lost", align: "right" },
    { title: "adds up", align: "left" },
  ];
  const rows = balances.map((balance) => [
    balance.channel,
    formatCount(balance.messages),
    formatCount(balance.sentBytes),
    formatCount(balance.receivedBytes),
    formatCount(balance.lostBytes),
    balance.isBalanced ? "yes" : "NO",
  ]);
  const { control } = cluster.channels;
  rows.push([
    "control",
    formatCount(control.messagesSent + control.messagesReceived),
    formatCount(control.bytesSent),
    formatCount(control.bytesReceived),
    "",
    "both ways, at the coordinator",
  ]);
  return [
    ...formatTable(columns, rows),
    `  bulk: ${formatCount(bulk.contentBytes)} of file contents + ` +
      `${formatCount(bulk.headerBytes)} of file headers + ` +
      `${formatCount(bulk.runtimeBytes)} added by the runtime to what arrived`,
  ];
}

function timeSection(outcome: IndexOutcome): string[] {
  const { cluster, single, messagesPerSecond } = outcome;
  const { pings } = cluster;
  const ratio = single.elapsedMs / Math.max(cluster.elapsedMs, 1);
  const rate = (elapsedMs: number): string =>
    `${formatBytes(outcome.bytes / (Math.max(elapsedMs, 1) / 1_000))}/s`;
  const unanswered = pings.failed + pings.leftOut;
  return figures("Time", [
    [
      `cluster, ${cluster.shares.length} workers`,
      formatDuration(cluster.elapsedMs),
      `${rate(cluster.elapsedMs)}, after ${formatDuration(cluster.bootMs)} to start and join`,
    ],
    [
      "one process, no cluster",
      formatDuration(single.elapsedMs),
      `${rate(single.elapsedMs)}; the cluster is ${ratio.toFixed(2)} times as fast`,
    ],
    ["messages", `${formatCount(messagesPerSecond)}/s`, "all channels, both ways"],
    ["control pings", formatCount(pings.count), `during the bulk load; ${unanswered} unanswered`],
    ["  p50", formatDuration(pings.p50Ms), "answered by the worker's event loop,"],
    ["  p99", formatDuration(pings.p99Ms), "so a ping waits for the parse that is running"],
    ["  longest", formatDuration(pings.maxMs)],
  ]);
}

function checkSection({ checks }: IndexOutcome): string[] {
  return [
    "Checks",
    ...checks.map(({ name, isHeld, detail }) => {
      return `  ${isHeld ? "ok    " : "FAILED"}  ${printable([name, detail])}`;
    }),
  ];
}

function furtherSection(jsonFile: string | undefined): string[] {
  const json =
    jsonFile === undefined
      ? "  --json FILE    all of these figures and the list of files"
      : `  ${jsonFile}    all of these figures and the list of files`;
  return [
    "To look further",
    json,
    "  --kill         the same with one worker killed in the middle",
    "  --workers N    more or fewer processes",
    "  foundation node --help, foundation ping --help    nodes of your own",
  ];
}
