import type { FoundationNode } from "../../index.ts";
import type { WorkerShare } from "./cluster-run.ts";
import type { SentBytes } from "./feeder.ts";
import { HANDLERS, type WorkerSummary } from "./messages.ts";

/** Time for a worker's own figures at the end. Unit: ms. */
const SUMMARY_TIMEOUT_MS = 10_000;

type Entry = { -readonly [Field in keyof WorkerShare]: WorkerShare[Field] } & {
  readonly unanswered: Set<number>;
};

/** The coordinator's account of each worker: what it was sent, what it answered, how it ended. */
export class WorkerLedger {
  readonly #entries = new Map<string, Entry>();

  /** Opens an account. */
  add(name: string, processId: number | undefined): void {
    this.#entries.set(name, {
      name,
      processId,
      files: 0,
      bytes: 0,
      sentMessages: 0,
      sentContentBytes: 0,
      sentHeaderBytes: 0,
      summary: undefined,
      lostBecause: undefined,
      unanswered: new Set(),
    });
  }

  /** The runtime accepted a file for this worker. */
  sent(worker: string, fileId: number, bytes: SentBytes): void {
    const entry = this.#entries.get(worker);
    if (entry === undefined) return;
    entry.sentMessages++;
    entry.sentContentBytes += bytes.contentBytes;
    entry.sentHeaderBytes += bytes.headerBytes;
    entry.unanswered.add(fileId);
  }

  /** A result came in; `freshBytes` is the size of the file if it was the first one for it. */
  answered(worker: string, fileId: number, freshBytes: number | undefined): void {
    const entry = this.#entries.get(worker);
    if (entry === undefined) return;
    entry.unanswered.delete(fileId);
    if (freshBytes === undefined) return;
    entry.files++;
    entry.bytes += freshBytes;
  }

  /** The worker is gone; its account stays for the report. */
  lost(worker: string, reason: string): void {
    const entry = this.#entries.get(worker);
    if (entry !== undefined) entry.lostBecause ??= reason;
  }

  /** Asks each of these workers for its own figures; rejects if one does not answer. */
  async askAll(
    node: FoundationNode,
    workers: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const options = { channel: "control", timeoutMs: SUMMARY_TIMEOUT_MS, signal };
    const ask = async (worker: string): Promise<void> => {
      const summary = await node.call({ node: worker, name: HANDLERS.summary }, null, options);
      const entry = this.#entries.get(worker);
      if (entry !== undefined) entry.summary = summary as WorkerSummary;
    };
    await Promise.all(workers.map(ask));
  }

  /** For each worker still there: files sent to it that it did not answer yet. */
  unansweredFiles(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const entry of this.#entries.values()) {
      if (entry.lostBecause === undefined) counts.set(entry.name, entry.unanswered.size);
    }
    return counts;
  }

  /** Files done by each worker, in the order in which they were admitted. */
  fileCounts(): { readonly name: string; readonly files: number }[] {
    return [...this.#entries.values()].map(({ name, files }) => ({ name, files }));
  }

  /** All accounts as they stand. */
  shares(): WorkerShare[] {
    return [...this.#entries.values()].map(({ unanswered: _, ...share }) => share);
  }
}
