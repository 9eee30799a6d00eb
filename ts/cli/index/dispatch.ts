/** How much one worker may hold unfinished; what it holds is what its death costs. */
export interface DispatchLimits {
  /** Bytes after which a worker gets nothing more. One file may reach beyond. Unit: bytes. */
  readonly windowBytes: number;
  /** Files after which a worker gets nothing more. Unit: files. */
  readonly windowFiles: number;
}

/** Windows that suit parsing at about 10 MB/s a worker. */
export const DISPATCH_DEFAULTS: DispatchLimits = Object.freeze({
  // About 0.4 s of parsing at the 10 MB/s that one process reaches: enough to hide a round trip,
  // little enough that the last files spread over all workers.
  windowBytes: 4 * 1024 * 1024,
  windowFiles: 256, // small files cost about 1 ms each, so this too is a fraction of a second
});

/** Whether a result was the first for its file. */
export type Completion = "fresh" | "duplicate" | "unknown";

/** What became of the files of a worker that is gone. */
export interface Loss {
  /** Files that wait for another worker now, in the order they were handed out. */
  readonly redispatched: readonly number[];
  /** The file that was alone on the worker after an earlier crash, hence the cause of this one. */
  readonly quarantined: number | undefined;
}

interface Holder {
  /** Unfinished files, in the order they were handed out. */
  readonly files: Set<number>;
  bytes: number;
  /** A suspect this worker holds, and holds alone. */
  suspect: number | undefined;
  /** Gets nothing more: its end is certain. */
  isClosed: boolean;
}

/**
 * Who holds which file. Pure bookkeeping: it reads no clock, sends nothing, and its answers depend
 * only on the calls before.
 *
 * Files go out largest first, which keeps the last moments even. When a worker crashes, one of the
 * files it held may be the reason; those become suspects, and each is tried alone on an otherwise
 * empty worker. A second crash then names the file, and it is set aside instead of ending one
 * worker after the other.
 */
export class Dispatch {
  readonly #fileBytes: readonly number[];
  readonly #limits: DispatchLimits;
  /** Files to hand out; the next one is at the end. */
  readonly #waiting: number[];
  readonly #suspects: number[] = [];
  readonly #holders = new Map<string, Holder>();
  readonly #settled: Uint8Array;
  #settledFiles = 0;
  #doneFiles = 0;
  #doneBytes = 0;
  #totalBytes: number;
  #assignedShareMax = Number.POSITIVE_INFINITY;
  #isAssignedShareExceeded = false;

  constructor(fileBytes: readonly number[], limits: DispatchLimits = DISPATCH_DEFAULTS) {
    this.#fileBytes = fileBytes;
    this.#limits = limits;
    this.#settled = new Uint8Array(fileBytes.length);
    this.#totalBytes = fileBytes.reduce((sum, bytes) => sum + bytes, 0);
    this.#waiting = fileBytes.map((_, fileId) => fileId);
    this.#waiting.sort((left, right) => this.#bytesOf(left) - this.#bytesOf(right) || right - left);
  }

  /** Every file is finished, skipped or set aside. */
  get isSettled(): boolean {
    return this.#settledFiles === this.#fileBytes.length;
  }

  /** Files with a result. */
  get doneFiles(): number {
    return this.#doneFiles;
  }

  /** Bytes of the files with a result. */
  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** Bytes of all files that were not skipped. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Share of the bytes that is done, from 0 to 1. */
  get doneShare(): number {
    return this.#totalBytes === 0 ? 1 : this.#doneBytes / this.#totalBytes;
  }

  /** Files without an outcome yet. */
  get unsettledFiles(): number {
    return this.#fileBytes.length - this.#settledFiles;
  }

  /** Names of the workers that may hold files. */
  get workers(): readonly string[] {
    return [...this.#holders.keys()];
  }

  /** True once a file had to go out beyond {@link limitAssignedShare}, as no other was left. */
  get isAssignedShareExceeded(): boolean {
    return this.#isAssignedShareExceeded;
  }

  /** Admits a worker; it holds nothing yet. */
  addWorker(worker: string): void {
    this.#holders.set(worker, { files: new Set(), bytes: 0, suspect: undefined, isClosed: false });
  }

  /**
   * Hands out nothing that would bring finished and unfinished bytes together over this share,
   * unless nothing else can move on. `undefined` lifts the limit.
   */
  limitAssignedShare(share: number | undefined): void {
    this.#assignedShareMax = share ?? Number.POSITIVE_INFINITY;
  }

  /** The next file for a worker, or `undefined` while it has to wait. */
  take(worker: string): number | undefined {
    const holder = this.#holders.get(worker);
    if (holder === undefined || holder.isClosed || holder.suspect !== undefined) return undefined;
    if (this.#nextOf(this.#suspects) !== undefined) return this.#takeSuspect(holder);
    if (holder.bytes >= this.#limits.windowBytes) return undefined;
    if (holder.files.size >= this.#limits.windowFiles) return undefined;
    const fileId = this.#nextOf(this.#waiting);
    if (fileId === undefined || !this.#mayAssign(fileId)) return undefined;
    this.#waiting.pop();
    this.#hold(holder, fileId);
    return fileId;
  }

  /** Hands nothing more to a worker that is about to be lost. */
  close(worker: string): void {
    const holder = this.#holders.get(worker);
    if (holder !== undefined) holder.isClosed = true;
  }

  /** Ends a file without a result: it cannot be read, or is not what it seemed. */
  skip(fileId: number): void {
    if (!this.#settle(fileId)) return;
    this.#totalBytes -= this.#bytesOf(fileId);
    for (const holder of this.#holders.values()) this.#release(holder, fileId);
  }

  /** Takes note of a result. Only the first of a file counts, whoever sent it. */
  complete(fileId: number, worker: string): Completion {
    if (!Number.isInteger(fileId) || fileId < 0 || fileId >= this.#fileBytes.length) {
      return "unknown";
    }
    const holder = this.#holders.get(worker);
    if (holder !== undefined) this.#release(holder, fileId);
    if (!this.#settle(fileId)) return "duplicate";
    this.#doneFiles++;
    this.#doneBytes += this.#bytesOf(fileId);
    return "fresh";
  }

  /** Whether the worker still has to answer for the file. */
  holds(worker: string, fileId: number): boolean {
    return this.#holders.get(worker)?.files.has(fileId) ?? false;
  }

  /** Unfinished files of a worker. */
  heldFiles(worker: string): number {
    return this.#holders.get(worker)?.files.size ?? 0;
  }

  /**
   * Takes a worker out; what it held goes to the others. `isCrash` is false for a death that was
   * ordered, whose files are above suspicion. `culprit`: the only file that is under any.
   */
  lose(worker: string, isCrash: boolean, culprit?: number): Loss {
    const holder = this.#holders.get(worker);
    if (holder === undefined) return { redispatched: [], quarantined: undefined };
    this.#holders.delete(worker);
    const isNamed = isCrash && culprit !== undefined;
    const isCaught = isCrash && (culprit ?? holder.suspect) === holder.suspect;
    const quarantined = isCaught ? holder.suspect : undefined;
    if (quarantined !== undefined) this.skip(quarantined);
    const redispatched = [...holder.files].filter((fileId) => this.#settled[fileId] === 0);
    const areSuspects = (isCrash && !isNamed) || holder.suspect !== undefined;
    // The next one to go out is at the end of either list.
    for (const fileId of redispatched.toReversed()) {
      const isSuspect = areSuspects || (isNamed && fileId === culprit);
      (isSuspect ? this.#suspects : this.#waiting).push(fileId);
    }
    return { redispatched, quarantined };
  }

  #bytesOf(fileId: number): number {
    return this.#fileBytes[fileId] ?? 0;
  }

  /** Last of a list that has no outcome yet; a late result may have settled those behind it. */
  #nextOf(queue: number[]): number | undefined {
    let fileId = queue.at(-1);
    while (fileId !== undefined && this.#settled[fileId] !== 0) {
      queue.pop();
      fileId = queue.at(-1);
    }
    return fileId;
  }

  #takeSuspect(holder: Holder): number | undefined {
    if (holder.files.size > 0) return undefined;
    const fileId = this.#suspects.pop();
    if (fileId === undefined) return undefined;
    this.#hold(holder, fileId);
    holder.suspect = fileId;
    return fileId;
  }

  #mayAssign(fileId: number): boolean {
    let heldBytes = 0;
    for (const holder of this.#holders.values()) heldBytes += holder.bytes;
    const assignedBytes = this.#doneBytes + heldBytes + this.#bytesOf(fileId);
    if (assignedBytes <= this.#assignedShareMax * this.#totalBytes) return true;
    if (heldBytes > 0) return false;
    this.#isAssignedShareExceeded = true;
    return true;
  }

  #hold(holder: Holder, fileId: number): void {
    holder.files.add(fileId);
    holder.bytes += this.#bytesOf(fileId);
  }

  #release(holder: Holder, fileId: number): void {
    if (!holder.files.delete(fileId)) return;
    holder.bytes -= this.#bytesOf(fileId);
    if (holder.suspect === fileId) holder.suspect = undefined;
  }

  #settle(fileId: number): boolean {
    if (this.#settled[fileId] !== 0) return false;
    this.#settled[fileId] = 1;
    this.#settledFiles++;
    return true;
  }
}
