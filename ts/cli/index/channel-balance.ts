import type { ClusterRun } from "./cluster-run.ts";

/** One channel's payload as both ends counted it, and whether the counts agree. */
export interface ChannelBalance {
  readonly channel: "bulk" | "results";
  /** Counted where it was sent. Unit: bytes. */
  readonly sentBytes: number;
  /** Counted where it arrived. Unit: bytes. */
  readonly receivedBytes: number;
  /** Exchanged with workers that were lost, whose own count nobody can ask for. Unit: bytes. */
  readonly lostBytes: number;
  /** Messages, counted at the coordinator. */
  readonly messages: number;
  readonly isBalanced: boolean;
}

/** What was handed to the bulk channel, split by what the bytes are. Unit: bytes. */
export interface BulkParts {
  /** Contents of the files that were sent. */
  readonly contentBytes: number;
  /** This job's header of each file message. */
  readonly headerBytes: number;
  /**
   * What the runtime added to the messages of the workers that were there at the end. Those of a
   * lost worker are left out: nobody knows how many of them went out before the link broke.
   */
  readonly runtimeBytes: number;
  /** The job's own count equals that of every worker that was there at the end. */
  readonly isBalanced: boolean;
}

/** Sums the bulk and results channels over all nodes. */
export function channelBalances(run: ClusterRun): readonly ChannelBalance[] {
  const { bulk, results } = run.channels;
  const summaries = run.shares.flatMap((share) => share.summary?.channels ?? []);
  const received = sum(summaries.map((channels) => channels.bulk.bytesReceived));
  const answered = sum(summaries.map((channels) => channels.results.bytesSent));
  const isComplete = summaries.length === run.shares.length;
  return [
    balance("bulk", bulk.bytesSent, received, bulk.bytesSent - received, {
      messages: bulk.messagesSent,
      isComplete,
    }),
    balance("results", answered, results.bytesReceived, results.bytesReceived - answered, {
      messages: results.messagesReceived,
      isComplete,
    }),
  ];
}

function balance(
  channel: ChannelBalance["channel"],
  sentBytes: number,
  receivedBytes: number,
  lostBytes: number,
  context: { readonly messages: number; readonly isComplete: boolean },
): ChannelBalance {
  // With a lost worker only one end's count remains for its part, which cannot be negative.
  const isBalanced = context.isComplete ? lostBytes === 0 : lostBytes >= 0;
  const { messages } = context;
  return { channel, sentBytes, receivedBytes, lostBytes, messages, isBalanced };
}

/** Splits the coordinator's bulk bytes and compares the job's own counts of both ends. */
export function bulkParts(run: ClusterRun): BulkParts {
  const contentBytes = sum(run.shares.map((share) => share.sentContentBytes));
  const headerBytes = sum(run.shares.map((share) => share.sentHeaderBytes));
  const isBalanced = run.shares.every(
    ({ summary, sentContentBytes, sentHeaderBytes, sentMessages }) =>
      summary === undefined ||
      (summary.malformedMessages === 0 &&
        summary.filesReceived === sentMessages &&
        summary.fileMessageBytes === sentContentBytes + sentHeaderBytes),
  );
  const summaries = run.shares.flatMap((share) => share.summary ?? []);
  const arrivedBytes = sum(summaries.map((summary) => summary.channels.bulk.bytesReceived));
  const runtimeBytes = arrivedBytes - sum(summaries.map((summary) => summary.fileMessageBytes));
  return { contentBytes, headerBytes, runtimeBytes, isBalanced };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
