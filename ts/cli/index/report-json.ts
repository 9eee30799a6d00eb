import { type IndexOutcome, symbolTotal } from "./outcome.ts";

/** Everything the report prints, and the path of every indexed file, as plain JSON values. */
export function reportJson(outcome: IndexOutcome): object {
  const { cluster, single, corpus } = outcome;
  return {
    root: corpus.root,
    files: cluster.records.map((record) => record.path).sort(),
    bytes: outcome.bytes,
    symbols: { total: symbolTotal(outcome), ...outcome.symbols },
    sha256: outcome.sha256,
    graph: outcome.graph,
    workers: cluster.shares,
    channels: {
      bulk: { ...outcome.balances.find(({ channel }) => channel === "bulk"), ...outcome.bulk },
      results: outcome.balances.find(({ channel }) => channel === "results"),
      control: cluster.channels.control,
    },
    pings: cluster.pings,
    messagesPerSecond: outcome.messagesPerSecond,
    kill: cluster.kill ?? null,
    overlay: cluster.overlay ?? null,
    supervised: cluster.supervised,
    redispatchedFiles: cluster.redispatchedFiles,
    duplicateResults: cluster.duplicateResults,
    malformedResults: cluster.malformedResults,
    skipped: outcome.skipped,
    unparsable: outcome.unparsable.map(({ path, parseErrors, problem }) => {
      return { path, parseErrors, problem };
    }),
    symbolicLinks: corpus.symbolicLinks,
    bootMs: cluster.bootMs,
    clusterMs: cluster.elapsedMs,
    singleProcessMs: single.elapsedMs,
    checks: outcome.checks,
  };
}
