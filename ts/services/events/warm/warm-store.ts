import { FoundationError } from "../../../base/errors.ts";
import { type EventLogSearch, EventLogThread } from "../../../kernel/event-log-thread.ts";
import type { EventLog, EventLogQuery, EventLogStats, LoggedEvent } from "../event-log.ts";
import { RecordPacker } from "./record-packer.ts";
import { type WarmStoreOptions, warmStoreOptions } from "./warm-options.ts";

/** Most events that one query may skip or want. */
const QUERY_EVENTS_MAX = 1_000_000;
/** What is handed to the thread of the store at once, unless one batch is larger. Unit: bytes. */
const GROUP_BYTES = 1 << 20;

/** Figures of a warm store. Since it was opened, where nothing else is said. */
export interface WarmStoreStats extends EventLogStats {
  /** Files of events, now. */
  readonly segments: number;
  /** Group commits: each made all events durable that waited then. */
  readonly commits: number;
  /** Syncs of files and of their folder. */
  readonly syncs: number;
  /** Files written anew without what was replaced or pruned. */
  readonly rewritten: number;
  /** Times that the index was made anew from the events, because it was missing or damaged. */
  readonly rebuilt: number;
  /** What could not be read and was dropped by `repair`. Unit: bytes. */
  readonly damagedBytes: number;
  /** What waits to be acknowledged, now. Unit: bytes. */
  readonly pendingBytes: number;
}

/** Batches that become durable together. */
interface Group {
  readonly appended: Promise<void>;
  readonly resolve: (value: Promise<void>) => void;
}

/**
 * A durable store of events on disk: an {@link EventLog}. Events of any number of `append` calls
 * become durable together (group commit). Its files are read and written by a thread of its own,
 * which does what it is asked for in that order, so a query sees every event appended before.
 */
export class WarmStore implements EventLog {
  readonly #thread: EventLogThread;
  readonly #options: Required<WarmStoreOptions>;
  readonly #packer = new RecordPacker();
  #group: Group | undefined;
  #last: Promise<void> = Promise.resolve();
  #pendingBytes = 0;
  #isClosed = false;

  private constructor(thread: EventLogThread, options: Required<WarmStoreOptions>) {
    this.#thread = thread;
    this.#options = options;
  }

  /**
   * Opens the store of a folder, or makes one.
   *
   * @throws FoundationError `invalid_options`; `event_log_locked` where somebody has it open;
   *   `data_corruption` where acknowledged events cannot be read; `event_log_failed`
   */
  static async open(options: WarmStoreOptions): Promise<WarmStore> {
    const all = warmStoreOptions(options);
    const thread = await EventLogThread.open({
      path: all.path,
      bytesMax: all.maxSizeMb * 2 ** 20,
      compression: all.compression,
      isSynced: all.durability === "disk",
      isRepairing: all.repair,
      pendingBytesMax: all.maxPendingBytes,
    });
    return new WarmStore(thread, all);
  }

  /**
   * Takes a batch, all or nothing, of at most half of `maxSizeMb`. Resolves when it is durable;
   * batches appended before the event loop turns share a promise.
   *
   * @throws FoundationError `event_log_overloaded`, `event_log_failed`, `event_log_closed`,
   *   `invalid_argument`
   */
  async append(batch: readonly LoggedEvent[]): Promise<void> {
    if (this.#isClosed) throw closed();
    this.#pendingBytes += this.#pack(batch);
    const group = this.#group ?? this.#newGroup();
    if (this.#packer.length >= GROUP_BYTES) this.#flush();
    await group.appended;
  }

  /** Resolves when nothing waits to be acknowledged that was appended before. */
  async drained(): Promise<void> {
    await this.#last.catch(() => undefined); // whoever appended was told
  }

  /**
   * The bytes of an event; undefined where there is none of that id.
   *
   * @throws FoundationError `data_corruption`, `event_log_failed`, `event_log_closed`
   */
  async get(eventId: number): Promise<Uint8Array | undefined> {
    this.#flush();
    if (!Number.isSafeInteger(eventId) || eventId < 1) return undefined;
    return this.#thread.get(eventId);
  }

  /**
   * The bytes of the events that somebody wants. At most 1,000,000 are skipped or answered.
   *
   * @throws FoundationError `event_log_answer_too_large`, `invalid_argument`, `data_corruption`,
   *   `event_log_failed`, `event_log_closed`
   */
  async query(query: EventLogQuery): Promise<readonly Uint8Array[]> {
    this.#flush();
    return this.#thread.search(searchOf(query));
  }

  /**
   * Drops what happened before a time, exclusive: answers with how many events.
   *
   * @throws FoundationError `invalid_argument`, `event_log_failed`, `event_log_closed`
   */
  async pruneBefore(timestamp: number): Promise<number> {
    this.#flush();
    return this.#thread.prune(checkTime("timestamp", timestamp));
  }

  /** Figures of it. */
  async stats(): Promise<WarmStoreStats> {
    this.#flush();
    const { idMax, ...figures } = await this.#thread.figures();
    return { ...figures, eventIdMax: idMax, pendingBytes: this.#pendingBytes };
  }

  /** Finishes what was begun and lets go of files; later calls reject, other closes do not. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#flush();
    await this.#thread.close();
  }

  /** What is appended until the next flush, which comes before anything else happens. */
  #newGroup(): Group {
    let resolve: Group["resolve"] = () => undefined;
    const appended = new Promise<void>((settle) => {
      resolve = settle;
    });
    const group: Group = { appended, resolve };
    this.#group = group;
    this.#last = group.appended;
    queueMicrotask(() => {
      if (this.#group === group) this.#flush();
    });
    return group;
  }

  /** Packs a batch, which may be larger than a group: then it is one by itself. */
  #pack(batch: readonly LoggedEvent[]): number {
    const before = this.#packer.length;
    this.#packer.add(batch);
    const bytes = this.#packer.length - before;
    const refusal = this.#refusal(bytes);
    if (refusal !== undefined) {
      this.#packer.cut(before);
      throw refusal;
    }
    if (before > 0 && before + bytes > GROUP_BYTES) {
      this.#packer.cut(before);
      this.#flush();
      this.#packer.add(batch);
    }
    return bytes;
  }

  #refusal(bytes: number): FoundationError | undefined {
    const { maxSizeMb, maxPendingBytes } = this.#options;
    const most = (maxSizeMb * 2 ** 20) / 2; // they go into one file, and the last file stays
    if (bytes > most) {
      const text = `a batch has ${bytes} bytes, and at most ${most} fit: half of maxSizeMb`;
      return new FoundationError("invalid_argument", text);
    }
    return this.#pendingBytes + bytes > maxPendingBytes ? this.#overloaded(bytes) : undefined;
  }

  /** Hands what was packed to the thread. */
  #flush(): void {
    const group = this.#group;
    if (group === undefined) return;
    this.#group = undefined;
    const bytes = this.#packer.length;
    const release = (): void => {
      this.#pendingBytes -= bytes;
    };
    const appended = this.#thread.append(this.#packer.take());
    appended.then(release, release);
    group.resolve(appended);
  }

  #overloaded(bytes: number): FoundationError {
    const { maxPendingBytes } = this.#options;
    const text =
      `${bytes} bytes more than the ${this.#pendingBytes} that wait to be acknowledged: ` +
      `maxPendingBytes is ${maxPendingBytes}`;
    return new FoundationError("event_log_overloaded", text);
  }
}

function searchOf(query: EventLogQuery): EventLogSearch {
  const { eventType, correlationId, from, to, orderBy = "timestamp", descending = false } = query;
  if (orderBy !== "timestamp" && orderBy !== "eventId") {
    const text = `orderBy must be timestamp or eventId, not '${String(orderBy)}'`;
    throw new FoundationError("invalid_argument", text);
  }
  return {
    ...(eventType !== undefined && { kind: eventType }),
    ...(correlationId !== undefined && { correlation: correlationId }),
    ...(from !== undefined && { from: checkTime("from", from) }),
    ...(to !== undefined && { to: checkTime("to", to) }),
    isById: orderBy === "eventId",
    isDescending: descending,
    offset: checkNumber("offset", query.offset ?? 0),
    limit: checkNumber("limit", query.limit),
  };
}

function checkNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= QUERY_EVENTS_MAX) return value;
  const text = `${name} must be a whole number from 0 to ${QUERY_EVENTS_MAX}, not ${value}`;
  throw new FoundationError("invalid_argument", text);
}

function checkTime(name: string, value: number): number {
  if (typeof value === "number" && !Number.isNaN(value)) return value;
  throw new FoundationError("invalid_argument", `${name} must be a number, not ${String(value)}`);
}

function closed(): FoundationError {
  return new FoundationError("event_log_closed", "the warm store is closed");
}
