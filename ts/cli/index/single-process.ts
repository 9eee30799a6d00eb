import type { RunProgress } from "./cluster-run.ts";
import type { Corpus } from "./corpus.ts";
import { indexSource } from "./parse.ts";
import type { FileRecord, SkippedFile } from "./record.ts";
import { readSource } from "./source.ts";

/** What one process alone is asked to do. */
export interface SingleProcessTask {
  /** The files; each is read when its turn comes. */
  readonly corpus: Corpus;
  /** Larger files are skipped. Unit: bytes. */
  readonly fileBytesMax: number;
  /** Paths that are left out, because they would end this process. */
  readonly excludedPaths: ReadonlySet<string>;
  /** Ends the run between two files. */
  readonly signal: AbortSignal;
  /** Called after each file, so it has to be cheap. */
  readonly onProgress: (progress: RunProgress) => void;
}

/** What one process found, and what it took. */
export interface SingleProcessRun {
  readonly records: readonly FileRecord[];
  readonly skipped: readonly SkippedFile[];
  /** Time from the first file to the last. Unit: ms. */
  readonly elapsedMs: number;
}

/** The same work as the cluster's, done by this process alone: read, parse, describe. */
export async function indexInOneProcess(task: SingleProcessTask): Promise<SingleProcessRun> {
  const { corpus, excludedPaths, signal } = task;
  const records: FileRecord[] = [];
  const skipped: SkippedFile[] = [];
  const startedAt = performance.now();
  let seenBytes = 0;
  for (const file of corpus.files) {
    signal.throwIfAborted();
    if (excludedPaths.has(file.path)) continue;
    const source = await readSource(corpus.root, file.path, task.fileBytesMax);
    if (source.kind === "skipped") skipped.push(source.skipped);
    else records.push(indexSource(file.path, source.content));
    seenBytes += file.bytes;
    task.onProgress({
      doneFiles: records.length,
      totalFiles: corpus.files.length,
      doneBytes: seenBytes,
      totalBytes: corpus.bytes,
      elapsedMs: performance.now() - startedAt,
      workers: [],
    });
  }
  return { records, skipped, elapsedMs: performance.now() - startedAt };
}
