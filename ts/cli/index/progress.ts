import type { RunProgress } from "./cluster-run.ts";
import { formatBytes, formatCount } from "./table.ts";

/** Where progress is written: the parts of a stream that are used. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shortest time between two drawings on a terminal. Unit: ms. */
const REDRAW_MS = 100;
/** Elsewhere a line is written each time this share more of the bytes is done. */
const LINE_SHARE = 0.1;
const ERASE_LINE = "\r\u001B[2K";

/** Shows how far a run is: one line that is redrawn on a terminal, a few plain lines elsewhere. */
export class Progress {
  readonly #label: string;
  readonly #stream: ProgressStream;
  readonly #isLive: boolean;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #nextShare = LINE_SHARE;
  #isDrawn = false;

  constructor(label: string, stream: ProgressStream) {
    this.#label = label;
    this.#stream = stream;
    this.#isLive = stream.isTTY === true;
  }

  /** Shows the state if it is time to. */
  update(progress: RunProgress): void {
    if (this.#isLive) {
      if (progress.elapsedMs - this.#drawnAtMs < REDRAW_MS) return;
      this.#drawnAtMs = progress.elapsedMs;
      const line = describeProgress(this.#label, progress);
      // A line that wraps cannot be redrawn.
      this.#stream.write(ERASE_LINE + line.slice(0, (this.#stream.columns ?? 80) - 1));
      this.#isDrawn = true;
      return;
    }
    const share = progress.totalBytes === 0 ? 1 : progress.doneBytes / progress.totalBytes;
    if (share < this.#nextShare) return;
    while (this.#nextShare <= share) this.#nextShare += LINE_SHARE;
    this.#stream.write(`${describeProgress(this.#label, progress)}\n`);
  }

  /** Writes a line of its own without breaking the redrawn one. */
  event(line: string): void {
    this.end();
    this.#stream.write(`${this.#label}  ${line}\n`);
  }

  /** Erases the redrawn line; the report follows. */
  end(): void {
    if (this.#isDrawn) this.#stream.write(ERASE_LINE);
    this.#isDrawn = false;
  }
}

/** One line: share, bytes, files, rates, and what each worker has done. */
export function describeProgress(label: string, progress: RunProgress): string {
  const { doneBytes, totalBytes, doneFiles, totalFiles, elapsedMs } = progress;
  const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100);
  const seconds = Math.max(elapsedMs, 1) / 1_000;
  const parts = [
    `${label}  ${String(percent).padStart(3)} %`,
    `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    `${formatCount(doneFiles)}/${formatCount(totalFiles)} files`,
    `${formatCount(Math.round(doneFiles / seconds))} files/s`,
    `${formatBytes(doneBytes / seconds)}/s`,
  ];
  const workers = progress.workers.map(({ name, files }) => `${name} ${formatCount(files)}`);
  return [...parts, workers.join(" ")].join("  ").trimEnd();
}
