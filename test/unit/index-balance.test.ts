import { describe, expect, test } from "vitest";
import { bulkParts, channelBalances } from "../../ts/cli/index/channel-balance.ts";
import type { ClusterRun, WorkerShare } from "../../ts/cli/index/cluster-run.ts";
import type { ChannelTotals } from "../../ts/cli/index/messages.ts";

function totals(bytesSent: number, bytesReceived: number): ChannelTotals {
  return { bytesSent, bytesReceived, messagesSent: 1, messagesReceived: 1 };
}

/** A worker that was sent one file of 90 bytes with a header of 10, and answered with 20. */
function share(received: number, answered: number): WorkerShare {
  return {
    name: "w",
    processId: 1,
    files: 1,
    bytes: 90,
    sentMessages: 1,
    sentContentBytes: 90,
    sentHeaderBytes: 10,
    lostBecause: undefined,
    summary: {
      filesReceived: 1,
      fileMessageBytes: 100,
      malformedMessages: 0,
      parseMs: 1,
      residentBytes: 1,
      channels: { bulk: totals(0, received), results: totals(answered, 0) },
    },
  };
}

function run(bulkSent: number, resultsReceived: number, ...shares: WorkerShare[]): ClusterRun {
  return {
    records: [],
    skipped: [],
    bootMs: 1,
    elapsedMs: 1,
    shares,
    pings: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0, failed: 0, leftOut: 0 },
    channels: {
      control: totals(0, 0),
      results: totals(0, resultsReceived),
      bulk: totals(bulkSent, 0),
    },
    kill: undefined,
    overlay: undefined,
    supervised: {
      supervisors: 1,
      parsers: 0,
      feeders: 0,
      collectors: 1,
      restarts: 0,
      parserCrashes: 0,
      nodeLosses: 0,
    },
    redispatchedFiles: 0,
    duplicateResults: 0,
    malformedResults: 0,
  };
}

const balanced = (clusterRun: ClusterRun): boolean[] =>
  channelBalances(clusterRun).map(({ isBalanced }) => isBalanced);

describe("bytes of a channel", () => {
  test("balance if both ends counted the same", () => {
    expect(balanced(run(200, 40, share(100, 20), share(100, 20)))).toEqual([true, true]);
  });

  test("do not balance if one byte is missing at either end", () => {
    expect(balanced(run(201, 40, share(100, 20), share(100, 20)))).toEqual([false, true]);
    expect(balanced(run(200, 39, share(100, 20), share(100, 20)))).toEqual([true, false]);
  });

  test("leave the rest to a lost worker, but never a negative rest", () => {
    const lost = { ...share(0, 0), summary: undefined, lostBecause: "SIGKILL" };
    const [bulk] = channelBalances(run(180, 30, share(100, 20), lost));
    expect(bulk).toMatchObject({ isBalanced: true, lostBytes: 80 });
    expect(balanced(run(90, 10, share(100, 20), lost))).toEqual([false, false]);
  });
});

describe("bytes of the bulk channel", () => {
  test("are contents, headers and what the runtime added", () => {
    expect(bulkParts(run(206, 0, share(103, 0), share(103, 0)))).toEqual({
      contentBytes: 180,
      headerBytes: 20,
      runtimeBytes: 6,
      isBalanced: true,
    });
  });

  test("do not balance if a worker was given less than it was sent", () => {
    const short = { ...share(100, 0), sentContentBytes: 91 };
    expect(bulkParts(run(101, 0, short)).isBalanced).toBe(false);
  });
});
