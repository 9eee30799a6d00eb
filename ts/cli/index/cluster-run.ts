import type { Corpus } from "./corpus.ts";
import type { CrewFigures } from "./crew.ts";
import type { ChannelTotals, IndexOverlay, WorkerSummary } from "./messages.ts";
import type { PingFigures } from "./pings.ts";
import type { FileRecord, SkippedFile } from "./record.ts";

/** What the cluster is asked to do, and whom it tells how it goes. */
export interface ClusterTask {
  /** The files; each is read when its turn comes. */
  readonly corpus: Corpus;
  /** Worker processes to start. Unit: processes. */
  readonly workers: number;
  /** Whether one worker is ended with SIGKILL between 40 % and 60 % of the bytes. */
  readonly kill: boolean;
  /** Which links the nodes keep; undefined: one to each member. */
  readonly overlay: IndexOverlay | undefined;
  /** Larger files are skipped. Unit: bytes. */
  readonly fileBytesMax: number;
  /** Ends the run; the processes are stopped before it rejects. */
  readonly signal: AbortSignal;
  /** Hears of the moments worth a line: workers joined, killed, lost. */
  readonly onEvent: (line: string) => void;
  /** Called after each result, so it has to be cheap. */
  readonly onProgress: (progress: RunProgress) => void;
}

/** How far a run is. */
export interface RunProgress {
  readonly doneFiles: number;
  readonly totalFiles: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Time since the first file went out. Unit: ms. */
  readonly elapsedMs: number;
  /** Files done by each worker, in the order of their names; empty in one process. */
  readonly workers: readonly { readonly name: string; readonly files: number }[];
}

/** What one worker did, by the coordinator's count and by its own. */
export interface WorkerShare {
  readonly name: string;
  readonly processId: number | undefined;
  /** Files of which its result was the first. */
  readonly files: number;
  /** Bytes of those files. */
  readonly bytes: number;
  /** File messages handed to the runtime for it. */
  readonly sentMessages: number;
  /** Bytes of those messages that are file contents. */
  readonly sentContentBytes: number;
  /** Bytes of those messages that are this job's own header: a number and the path. */
  readonly sentHeaderBytes: number;
  /** Its own figures; `undefined` if it was lost. */
  readonly summary: WorkerSummary | undefined;
  /** Why it was lost; `undefined` if it worked to the end. */
  readonly lostBecause: string | undefined;
}

/** How `--kill` struck: whom, when, and what the victim left undone. */
export interface KillOutcome {
  readonly worker: string;
  /** Share of the bytes that was done at that moment, from 0 to 1. */
  readonly atShare: number;
  /** Files that the worker held unfinished at that moment. */
  readonly unfinishedFiles: number;
  /** Time from the signal to the coordinator's `DOWN`. Unit: ms. */
  readonly noticedAfterMs: number | undefined;
}

/** What the run's overlay was. */
export interface OverlayFigures {
  readonly strategy: string;
  /** Neighbours of the coordinator. Unit: nodes. */
  readonly neighbours: number;
  /** Members that the coordinator knows, itself included. Unit: nodes. */
  readonly members: number;
}

/** Everything the cluster found, and what it took. */
export interface ClusterRun {
  readonly records: readonly FileRecord[];
  readonly skipped: readonly SkippedFile[];
  /** Time to start the processes and join them. Unit: ms. */
  readonly bootMs: number;
  /** Time from the first file handed out to the last result. Unit: ms. */
  readonly elapsedMs: number;
  readonly shares: readonly WorkerShare[];
  readonly pings: PingFigures;
  /** What the coordinator's node counted, at the end of the run. */
  readonly channels: Readonly<Record<"control" | "results" | "bulk", ChannelTotals>>;
  readonly kill: KillOutcome | undefined;
  /** The overlay at the end, as the coordinator has it; undefined without one. */
  readonly overlay: OverlayFigures | undefined;
  /** What the run's supervisors started, and what ended. */
  readonly supervised: CrewFigures;
  /** Files that went to another worker after the first one was lost. */
  readonly redispatchedFiles: number;
  /** Results for files that had one already; ignored. */
  readonly duplicateResults: number;
  /** Messages that were no results; ignored. */
  readonly malformedResults: number;
}
