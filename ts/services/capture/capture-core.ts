import { type CancelTimer, type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import { TypedEvents, type Unsubscribe } from "../../base/typed-events.ts";
import type { CaptureRecord } from "../../kernel/capture-ring.ts";
import type { ServiceCore } from "../service-slot.ts";
import { type LogSink, NO_LOG, NO_TELEMETRY, type TelemetrySink } from "../sinks.ts";
import { inOrder, unpackEvent } from "./capture-record.ts";
import { type CaptureConfigReader, processingOf } from "./capture-settings.ts";
import type { CapturedEvent, CaptureProcessing, CaptureSink } from "./capture-types.ts";
import { SinkQueue } from "./sink-queue.ts";

/** The rings as their reader uses them. */
export interface ReadableRing {
  /** The oldest records, at most so many; none where none is there. */
  read(recordsMax: number): CaptureRecord[];
  /** Says that the reader sleeps until so many are unread; false: they are. */
  arm(records: number): boolean;
  /** Records that are there now. */
  readonly unread: number;
}

/** What the service stands on. */
export interface CaptureParts {
  readonly ring: ReadableRing;
  readonly config: CaptureConfigReader;
  /** Where batches go, beside the subscribers. Default: nowhere. */
  readonly sink?: CaptureSink | undefined;
  /** Takes the time. Default: the system's clock. */
  readonly clock?: Clock;
  /** Where it reports. Default: nowhere. */
  readonly telemetry?: TelemetrySink;
  /** Where it writes what people read. Default: nowhere. */
  readonly log?: LogSink;
}

/** Hears of each batch. */
export type BatchListener = (batch: readonly CapturedEvent[]) => void;

/** Number of `service_unavailable` where it is this service's. */
export const CAPTURE_UNAVAILABLE = 28_700;

/** Batches that are handed out before timers and I/O get their turn. */
const TURN_BATCHES = 32;

/** What a core leaves to the one that follows it. */
interface Legacy {
  readonly listeners: TypedEvents<{ batch: readonly CapturedEvent[] }>;
  readonly queue: SinkQueue | undefined;
  readonly counts: { batches: number; delivered: number };
}

/** Whoever waits until what was there has gone. */
interface Flush {
  /** Of the events that go since the core was made. Unit: events. */
  until: number;
  readonly resolve: () => void;
  readonly reject: (reason: FoundationError) => void;
}

/**
 * Takes records from the rings and hands them out in batches: when a batch is full, or when the
 * flush interval is over. Where nobody wants them, they stay in the rings.
 */
export class CaptureCore implements ServiceCore {
  readonly #ring: ReadableRing;
  readonly #config: CaptureConfigReader;
  readonly #clock: Clock;
  readonly #legacy: Legacy;
  #flushes: Flush[] = [];
  #cancelFlush: CancelTimer | undefined;
  #cancelTurn: CancelTimer = () => {};
  /** Events that have gone to the subscribers and the queue, and what the queue had before. */
  #handed: number;
  /** So many go without waiting for a full batch, and those that come later wait. */
  #dueUntil = 0;
  #isWorking = false;
  #isStopped = false;
  #isClosed = false;

  /** `last`: the core before; its subscribers, its queue and its counts go on. */
  constructor(parts: CaptureParts, last?: CaptureCore) {
    this.#ring = parts.ring;
    this.#config = parts.config;
    this.#clock = parts.clock ?? SYSTEM_CLOCK;
    this.#legacy = last === undefined ? CaptureCore.#fresh(parts) : last.#leave();
    if (this.#legacy.queue !== undefined) this.#legacy.queue.onRoom = () => this.wake();
    this.#handed = this.#legacy.queue?.size ?? 0;
    this.#goOnLater(); // records may be there that nobody was there to be woken for
  }

  static #fresh({ sink, clock = SYSTEM_CLOCK, ...parts }: CaptureParts): Legacy {
    const { telemetry = NO_TELEMETRY, log = NO_LOG } = parts;
    const queue = sink && new SinkQueue({ sink, clock, telemetry, log });
    return { listeners: new TypedEvents(), queue, counts: { batches: 0, delivered: 0 } };
  }

  #leave(): Legacy {
    this.stop();
    this.#isClosed = true;
    return this.#legacy;
  }

  /** Figures of what was read. */
  get processing(): CaptureProcessing {
    const { queue, counts } = this.#legacy;
    const { stored = 0, failed = 0, size = 0 } = queue ?? {};
    return { ...counts, stored, failed, queued: size };
  }

  /** Calls a function with each batch, until the returned function is called. */
  subscribe(listener: BatchListener): Unsubscribe {
    const stop = this.#legacy.listeners.on("batch", listener);
    this.wake();
    return stop;
  }

  get #isWanted(): boolean {
    const { listeners, queue } = this.#legacy;
    return queue !== undefined || listeners.isHeard("batch");
  }

  /** Whether what is there goes, however little it is. */
  get #isDue(): boolean {
    return this.#handed < this.#dueUntil;
  }

  /** What is there now is due; what is recorded later is not, so this comes to an end. */
  #makeDue(): number {
    const until = this.#handed + this.#ring.unread;
    this.#dueUntil = Math.max(this.#dueUntil, until);
    return until;
  }

  /** Nothing is left: what was due was handed out, or dropped for newer records. */
  #forgetDue(): void {
    this.#dueUntil = this.#handed;
    for (const flush of this.#flushes) flush.until = Math.min(flush.until, this.#handed);
  }

  /** Records came, somebody came for them, or the sink has taken some. */
  wake(): void {
    if (this.#isStopped || this.#isWorking) return;
    this.#isWorking = true;
    try {
      if (this.#isWanted) this.#work();
      else this.#forgetDue();
    } finally {
      this.#isWorking = false;
    }
    this.#tellFlushed();
  }

  /** The settings have changed: a flush that was planned by the old ones is planned anew. */
  reconfigure(): void {
    this.#cancelPlannedFlush();
    this.wake();
  }

  /**
   * Hands out everything that is there now; resolves when the sink has it, too.
   *
   * @throws FoundationError `service_unavailable` where the service ends before
   */
  async flush(): Promise<void> {
    if (this.#isStopped) throw ended();
    const flushed = new Promise<void>((resolve, reject) => {
      this.#flushes.push({ until: this.#makeDue(), resolve, reject });
    });
    this.wake();
    return flushed;
  }

  #work(): void {
    for (let batches = 0; ; batches++) {
      const { batchSize, flushIntervalMs, queueSize } = processingOf(this.#config);
      const { queue } = this.#legacy;
      // At the end everything goes, and the rings bound how much that is.
      const isFree = queue === undefined || this.#isClosed;
      const room = isFree ? batchSize : queueSize - queue.size;
      if (room <= 0) return; // goes on when the sink has taken some
      if (!this.#isDue && (this.#isClosed || this.#sleep(batchSize, flushIntervalMs))) return;
      if (batches >= TURN_BATCHES && !this.#isClosed) return this.#goOnLater();
      const wanted = Math.min(batchSize, room);
      const records = this.#ring.read(wanted);
      if (records.length > 0) this.#hand(inOrder(records.map(unpackEvent)));
      else this.#forgetDue();
    }
  }

  /** Waits for the first record, or for a batch of them; false where one is there. */
  #sleep(batchSize: number, flushIntervalMs: number): boolean {
    if (this.#ring.arm(1)) {
      this.#cancelPlannedFlush(); // nothing is there that would have to go
      return true;
    }
    if (!this.#ring.arm(batchSize)) return false;
    this.#cancelFlush ??= this.#clock.after(flushIntervalMs, () => {
      this.#cancelFlush = undefined;
      this.#makeDue();
      this.wake();
    });
    return true;
  }

  #cancelPlannedFlush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
  }

  #goOnLater(): void {
    this.#cancelTurn();
    this.#cancelTurn = this.#clock.after(0, () => this.wake());
  }

  #hand(batch: readonly CapturedEvent[]): void {
    const { listeners, queue, counts } = this.#legacy;
    counts.batches++;
    this.#handed += batch.length;
    if (listeners.isHeard("batch")) counts.delivered += batch.length;
    listeners.emit("batch", batch);
    queue?.push(batch);
  }

  #tellFlushed(): void {
    const taken = this.#handed - (this.#legacy.queue?.size ?? 0);
    const done = this.#flushes.filter(({ until }) => until <= taken);
    this.#flushes = this.#flushes.filter(({ until }) => until > taken);
    for (const { resolve } of done) resolve();
  }

  /** Reads nothing more: its process was killed. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelPlannedFlush();
    this.#cancelTurn();
    for (const { reject } of this.#flushes.splice(0)) reject(ended());
  }

  /** Hands out what is there now, and stops; the sink gets the rest as it takes it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isStopped = false;
    this.#makeDue();
    this.wake();
    this.stop();
    this.#legacy.queue?.end();
  }
}

function ended(): FoundationError {
  return new FoundationError(
    "service_unavailable",
    "the service 'capture' ended before everything was taken",
    { numericCode: CAPTURE_UNAVAILABLE, context: { service: "capture" } },
  );
}
