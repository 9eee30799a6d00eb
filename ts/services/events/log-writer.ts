import { type Attempt, attempt, FoundationError } from "../../base/errors.ts";
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
  readonly settle: (appended: Attempt<void>) => void;
}

/** Events of one append: a log that takes its time gets more of them at once, up to here. */
const BATCH_EVENTS_MAX = 8_192;
/** And up to here, texts included: what the smallest warm store takes at once. Unit: bytes. */
const BATCH_BYTES_MAX = 4 << 20;
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
  /** Resolves when the appends that are under way and to come have ended. */
  #appending: Promise<void> | undefined;
  /** What becomes of the events that the present {@link track} adds. */
  #tracked: Set<Promise<void>> | undefined;
  #logged = 0;
  #unlogged = 0;
  #waiting = 0;

  /** `onFailure`: is told of events that the log refused. */
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

  /** Resolves when nothing is on its way: the log has acknowledged or refused all that it got. */
  async drained(): Promise<void> {
    while (this.#appending !== undefined) await this.#appending;
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
      this.#track(Promise.reject(logIsFull()));
      return;
    }
    this.#bytes += event.bytes.length;
    this.#waiting += 1;
    this.#track(this.#batchFor(event).done);
    // Not at once: what the same turn of the event loop stores shares the commit.
    this.#appending ??= new Promise((resolve) => {
      setImmediate(() => void this.#appendAll().then(resolve));
    });
  }

  /** Who waits for it is told of an error; where nobody does, it was counted. */
  #track(done: Promise<void>): void {
    done.catch(() => {});
    this.#tracked?.add(done);
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
    this.#appending = undefined;
  }

  /** Never rejects: the next batch has its chance whatever becomes of this one. */
  async #append({ events, settle }: Batch): Promise<void> {
    const { length } = events;
    const appended = await attempt(async () => this.log.append(events));
    if (appended.ok) this.#logged += length;
    else this.#unlogged += length;
    this.#waiting -= length;
    for (const { bytes } of events) this.#bytes -= bytes.length;
    settle(appended);
    if (!appended.ok) attempt(() => this.#onFailure(appended.error, length));
  }
}

function newBatch(): Batch {
  let settle: Batch["settle"] = () => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (appended) => (appended.ok ? resolve() : reject(appended.error as Error));
  });
  return { events: [], bytes: 0, done, settle };
}

function logIsFull(): FoundationError {
  const text = "too many events are on their way to the log";
  return new FoundationError("resource_exhausted", text);
}
