import type { Pid } from "../../base/pid.ts";
import type { CaptureRingPlan } from "../../kernel/capture-ring.ts";

/** What was captured, as whoever reads it gets it. */
export interface CapturedEvent {
  readonly type: string;
  readonly data: unknown;
  /** When it was recorded. Unit: ms since 1970. */
  readonly timestampMs: number;
  /** Orders the events of one millisecond, over all isolates of the node. */
  readonly sequence: number;
  /** The process whose handler recorded it, or that was named; undefined for other code. */
  readonly pid: Pid | undefined;
  readonly correlationId: string | undefined;
  /** The event that led to it. */
  readonly parentId: number | undefined;
}

/** What is known of an event beside its type and data. */
export interface RecordOptions {
  /** The process that it is about. Unit: pid. Default: the one whose handler runs, if any. */
  readonly pid?: Pid | undefined;
  /** Ties it to a request. Unit: text, at most 255 characters. Default: none. */
  readonly correlationId?: string | undefined;
  /** The event that led to it. Unit: event id. Default: none. */
  readonly parentId?: number | undefined;
}

/** How long a record waits for room, where the overflow strategy is `block`. */
export interface RecordWaitOptions extends RecordOptions {
  /** Longest wait. Unit: ms. Default: `waitMs` of the service, 1,000. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with `aborted`. Unit: signal. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where batches go; the event store is one. What it throws or rejects with loses the batch, but for
 * `service_unavailable`: then it gets the batch again.
 */
export interface CaptureSink {
  /**
   * Takes a batch. The next one comes once it has returned, and its promise has settled.
   *
   * @returns how many of its events it could not take
   */
  storeBatch(batch: readonly CapturedEvent[]): number | Promise<number>;
}

/** How the service is set up beside what the configuration says. */
export interface CaptureOptions {
  /**
   * Longest record: its type, data and the rest of it as bytes. Unit: bytes. Default: 16,384. Each
   * ring takes at most `maxEvents` times this, and keeps 4 KiB a place once it was that long.
   */
  readonly recordBytesMax?: number;
  /** Longest wait of `recordOrWait` unless it says otherwise. Unit: ms. Default: 1,000. */
  readonly waitMs?: number;
  /**
   * Whether what was captured becomes events of `node.events`. Unit: switch. Default: true. Without
   * it events stay in the rings until somebody subscribes.
   */
  readonly store?: boolean;
}

/** How the service is set up unless options say otherwise. */
export const CAPTURE_DEFAULTS = Object.freeze({
  recordBytesMax: 16 << 10, // that of messages inside of rings; larger data belongs elsewhere
  waitMs: 1_000, // twenty flush intervals: who waits longer has a reader that is stuck
  store: true, // what is recorded can be found
});

/** What became of what was read, in the isolate that has started the node. Unit: events. */
export interface CaptureProcessing {
  /** Batches that were handed out. Unit: batches. */
  readonly batches: number;
  /** Events that were handed to subscribers. */
  readonly delivered: number;
  /** Events that the sink took. */
  readonly stored: number;
  /** Events that the sink failed to take. */
  readonly failed: number;
  /** Events that wait for the sink. */
  readonly queued: number;
}

/** Figures of the capture of a node. Unit of the counters: records. */
export interface CaptureStats {
  /** Where the next record is written, over all rings. */
  readonly writePosition: number;
  /** Where the next record is read: those before were read, or dropped for newer ones. */
  readonly readPosition: number;
  /** Records that were taken in. */
  readonly totalWrites: number;
  /** Records that were read. */
  readonly totalReads: number;
  /** Records that were lost for want of room. */
  readonly dropped: number;
  /** Records that wait to be read. */
  readonly unread: number;
  /** How the rings were made. */
  readonly rings: CaptureRingPlan;
  /** What this isolate's traces could not record. */
  readonly traceFailures: number;
  /** Undefined in isolates that have not started the node. */
  readonly processing: CaptureProcessing | undefined;
}
