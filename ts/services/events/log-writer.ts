import { FoundationError } from "../../base/errors.ts";
import type { EventLog, LoggedEvent } from "./event-log.ts";

/** Figures of what goes to the log. */
export interface LogCounts {
  /** Events that the log has acknowledged. */
  readonly logged: number;
  /** Events that it will not have: it refused them, or too many were on their way. */
  readonly unlogged: number;
  /** Events on their way. */
  readonly waiting: number;
}

interface Batch {
  readonly events: LoggedEvent[];
  bytes: number;
  readonly done: Promise<void>;
  readonly settle: (error: unknown) => void;
}

/** Events of one append: a log that takes its time gets more of them at once, up to here. */
const BATCH_EVENTS_MAX = 8_192;
/** And up to here, apart from one event that is larger, texts included. Unit: bytes. */
const BATCH_BYTES_MAX = 8 << 20;
/** Bytes that a log may need for an event beside its own. */
const RECORD_BYTES = 64;
/** Bytes of UTF-8 that a unit of a string takes at most. */
const UTF8_PER_UNIT = 3;

/**
 * Brings events to a log, in order: what comes while an append is under way goes with the next one,
 * so that many events share one commit.
 */
export class LogWriter {
  readonly log: EventLog;
  readonly #bytesMax: number;
  readonly #onFailure: (error: unknown, events: number) => void;
  readonly #batches: Batch[] = [];
  #bytes = 0;
  #isAppending = false;
  #last: Promise<void> = Promise.resolve();
  /** What becomes of the events that the present {@link track} adds. */
  #tracked: Set<Promise<void>> | undefined;
  #logged = 0;
  #unlogged = 0;
  #waiting = 0;

  constructor(
    log: EventLog,
    bytesMax: number,
    onFailure: (error: unknown, events: number) => void,
  ) {
    this.log = log;
    this.#bytesMax = bytesMax;
    this.#onFailure = onFailure;
  }

  get counts(): LogCounts {
    return { logged: this.#logged, unlogged: this.#unlogged, waiting: this.#waiting };
  }

  /**
   * Resolves when the event that was added last is acknowledged, and with it all before; rejects
   * where its batch was refused or had no room.
   */
  get last(): Promise<void> {
    return this.#last;
  }

  /**
   * Does work that adds events, without a turn of the event loop; resolves with its answer when all
   * of them are acknowledged, and rejects where one of them was refused or had no room.
   */
  async track<Answer>(work: () => Answer): Promise<Answer> {
    const outer = this.#tracked;
    const own = new Set<Promise<void>>();
    this.#tracked = own;
    let answer: Answer;
    try {
      answer = work();
    } finally {
      this.#tracked = outer;
    }
    await Promise.all(own);
    return answer;
  }

  /** Takes an event along; where there is no room the log goes without it. */
  add(event: LoggedEvent): void {
    if (this.#bytes + event.bytes.length > this.#bytesMax) {
      this.#unlogged += 1;
      this.#last = Promise.reject(logIsFull());
      heed(this.#last);
      this.#tracked?.add(this.#last);
      return;
    }
    this.#bytes += event.bytes.length;
    this.#waiting += 1;
    this.#last = this.#batchFor(event).done;
    this.#tracked?.add(this.#last);
    if (this.#isAppending) return;
    this.#isAppending = true;
    // Not at once: what the same turn of the event loop stores shares the commit.
    setImmediate(() => void this.#appendAll());
  }

  #batchFor(event: LoggedEvent): Batch {
    const texts = event.eventType.length + (event.correlationId?.length ?? 0);
    const bytes = RECORD_BYTES + event.bytes.length + UTF8_PER_UNIT * texts;
    const last = this.#batches.at(-1);
    const hasRoom =
      last !== undefined &&
      last.events.length < BATCH_EVENTS_MAX &&
      last.bytes + bytes <= BATCH_BYTES_MAX;
    const batch = hasRoom ? last : newBatch();
    if (!hasRoom) this.#batches.push(batch);
    batch.events.push(event);
    batch.bytes += bytes;
    return batch;
  }

  async #appendAll(): Promise<void> {
    for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
      await this.#append(batch);
    }
    this.#isAppending = false;
  }

  async #append({ events, settle }: Batch): Promise<void> {
    const { length } = events;
    try {
      await this.log.append(events);
      this.#logged += length;
      settle(undefined);
    } catch (thrown) {
      this.#unlogged += length;
      settle(thrown);
      this.#onFailure(thrown, length);
    } finally {
      this.#waiting -= length;
      for (const { bytes } of events) this.#bytes -= bytes.length;
    }
  }
}

function newBatch(): Batch {
  let settle: (error: unknown) => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error as Error));
  });
  heed(done);
  return { events: [], bytes: 0, done, settle };
}

/** Who waits for it is told of an error; where nobody does, it was counted. */
function heed(promise: Promise<void>): void {
  promise.catch(() => {});
}

function logIsFull(): FoundationError {
  const text = "too many events are on their way to the log";
  return new FoundationError("resource_exhausted", text);
}
