import { differingPaths, digestRecords } from "./canonical.ts";
import {
  type BulkParts,
  bulkParts,
  type ChannelBalance,
  channelBalances,
} from "./channel-balance.ts";
import type { ClusterRun } from "./cluster-run.ts";
import type { Corpus } from "./corpus.ts";
import { type GraphFigures, graphFigures } from "./graph.ts";
import { comparePaths, type FileRecord, type SkippedFile } from "./record.ts";
import type { SingleProcessRun } from "./single-process.ts";

/** One thing that has to be true of a run, and what was seen. */
export interface Check {
  readonly name: string;
  readonly isHeld: boolean;
  readonly detail: string;
}

/** Both runs, and what follows from them. */
export interface IndexOutcome {
  readonly corpus: Corpus;
  readonly cluster: ClusterRun;
  readonly single: SingleProcessRun;
  /** Files and folders without a record, sorted by path. */
  readonly skipped: readonly SkippedFile[];
  /** Records of files the parser found errors in. */
  readonly unparsable: readonly FileRecord[];
  /** Bytes of the indexed files. */
  readonly bytes: number;
  /** Functions, classes and types. */
  readonly symbols: {
    readonly functions: number;
    readonly classes: number;
    readonly types: number;
  };
  readonly graph: GraphFigures;
  /** Digest of the cluster's records. */
  readonly sha256: string;
  readonly balances: readonly ChannelBalance[];
  readonly bulk: BulkParts;
  /** Messages of all channels, pings and answers included, per second of the cluster run. */
  readonly messagesPerSecond: number;
  readonly checks: readonly Check[];
}

/** Puts both runs side by side. Pure. */
export function judge(
  corpus: Corpus,
  cluster: ClusterRun,
  single: SingleProcessRun,
  isKillAsked: boolean,
): IndexOutcome {
  const { records } = cluster;
  const skipped = [...corpus.skipped, ...cluster.skipped].sort((left, right) =>
    comparePaths(left.path, right.path),
  );
  const sha256 = digestRecords(records);
  const balances = channelBalances(cluster);
  const bulk = bulkParts(cluster);
  const messages = cluster.pings.count * 2 + balances.reduce((sum, each) => sum + each.messages, 0);
  return {
    corpus,
    cluster,
    single,
    skipped,
    unparsable: records.filter((record) => record.parseErrors > 0),
    bytes: total(records, (record) => record.bytes),
    symbols: {
      functions: total(records, (record) => record.functions),
      classes: total(records, (record) => record.classes),
      types: total(records, (record) => record.types),
    },
    graph: graphFigures(records),
    sha256,
    balances,
    bulk,
    messagesPerSecond: messages / (Math.max(cluster.elapsedMs, 1) / 1_000),
    checks: [
      resultsCheck(records, single.records, sha256),
      completenessCheck(corpus, cluster),
      ...balances.map(balanceCheck),
      bulkCheck(bulk),
      ...(isKillAsked ? [killCheck(cluster)] : []),
    ],
  };
}

/** All symbols of an outcome. */
export function symbolTotal({ symbols }: IndexOutcome): number {
  return symbols.functions + symbols.classes + symbols.types;
}

function total(records: readonly FileRecord[], value: (record: FileRecord) => number): number {
  return records.reduce((sum, record) => sum + value(record), 0);
}

function resultsCheck(
  records: readonly FileRecord[],
  expected: readonly FileRecord[],
  sha256: string,
): Check {
  const isHeld = sha256 === digestRecords(expected);
  const differing = isHeld ? [] : differingPaths(records, expected);
  const some = differing.slice(0, 3).join(", ");
  return {
    name: "results equal those of one process",
    isHeld,
    detail: isHeld ? `sha256 ${sha256}` : `${differing.length} files differ: ${some}`,
  };
}

function completenessCheck(corpus: Corpus, cluster: ClusterRun): Check {
  const paths = new Set(cluster.records.map((record) => record.path));
  const outcomes = paths.size + cluster.skipped.length;
  const isHeld = outcomes === corpus.files.length && paths.size === cluster.records.length;
  const detail =
    `${corpus.files.length} files found, ${paths.size} indexed, ` +
    `${cluster.skipped.length} skipped, ${cluster.duplicateResults} duplicate results ignored, ` +
    `${cluster.malformedResults} malformed`;
  return { name: "no file is lost", isHeld: isHeld && cluster.malformedResults === 0, detail };
}

function balanceCheck(balance: ChannelBalance): Check {
  const lost = balance.lostBytes > 0 ? `, ${balance.lostBytes} with lost workers` : "";
  return {
    name: `${balance.channel} bytes add up`,
    isHeld: balance.isBalanced,
    detail: `${balance.sentBytes} sent, ${balance.receivedBytes} received${lost}`,
  };
}

function bulkCheck(bulk: BulkParts): Check {
  return {
    name: "workers received what was sent to them",
    isHeld: bulk.isBalanced && bulk.runtimeBytes >= 0,
    detail:
      `${bulk.contentBytes} of contents + ${bulk.headerBytes} of file headers ` +
      `+ ${bulk.runtimeBytes} of the runtime`,
  };
}

function killCheck({ kill, redispatchedFiles }: ClusterRun): Check {
  const name = "one worker was killed while it held files";
  if (kill === undefined) {
    return { name, isHeld: false, detail: "the work was over before a worker could be killed" };
  }
  const detail =
    `${kill.worker} at ${(kill.atShare * 100).toFixed(1)} % of the bytes, ` +
    `${redispatchedFiles} files re-dispatched`;
  return { name, isHeld: kill.unfinishedFiles > 0 && redispatchedFiles > 0, detail };
}
