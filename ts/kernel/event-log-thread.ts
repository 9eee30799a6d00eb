import { fromNative, native } from "../base/errors.ts";
import { core } from "./native.ts";

/** How {@link EventLogThread.open} opens a log. */
export type EventLogOpening = Parameters<typeof core.openEventLog>[0];
/** Which events {@link EventLogThread.search} looks for. */
export type EventLogSearch = Parameters<typeof core.searchEventLog>[2];
type Answer = ReturnType<typeof core.takeFromEventLog>[number];
/** Figures of a log as the core counts them. */
export type EventLogFigures = NonNullable<Answer["stats"]>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

const OPENING = 0; // the request that opening is

/**
 * A log of events that a thread of the core keeps. Requests are done in the order in which they are
 * made; while one is under way, the event loop stays alive. Ends with its isolate at the latest,
 * after what was asked for is done.
 */
export class EventLogThread {
  readonly #log: number;
  readonly #waiting = new Map<number, Waiting>();
  #lastRequest = OPENING;
  #closed: Promise<void> | undefined;

  private constructor(options: EventLogOpening) {
    this.#log = native(() => core.openEventLog(options, () => this.#settle()));
  }

  /**
   * Opens the log of a folder.
   *
   * @throws FoundationError `event_log_locked`, `data_corruption`, `event_log_failed`,
   *   `invalid_argument`
   */
  static async open(options: EventLogOpening): Promise<EventLogThread> {
    const log = new EventLogThread(options);
    try {
      await new Promise<Answer>((resolve, reject) => {
        log.#waiting.set(OPENING, { resolve, reject });
      });
    } catch (thrown) {
      core.releaseEventLog(log.#log);
      throw thrown;
    }
    return log;
  }

  /** Keeps packed records, all or none of them; they are copied before this returns. */
  async append(records: Uint8Array): Promise<void> {
    await this.#request((request) => core.appendToEventLog(this.#log, request, records));
  }

  /** The bytes of an event. */
  async get(eventId: number): Promise<Uint8Array | undefined> {
    const ask = (request: number) => core.getFromEventLog(this.#log, request, eventId);
    return unpacked(await this.#request(ask))[0];
  }

  /** The bytes of events. */
  async search(search: EventLogSearch): Promise<Uint8Array[]> {
    const ask = (request: number) => core.searchEventLog(this.#log, request, search);
    return unpacked(await this.#request(ask));
  }

  /** Drops what happened before a time; answers how many events that were. */
  async prune(timestamp: number): Promise<number> {
    const ask = (request: number) => core.pruneEventLog(this.#log, request, timestamp);
    return (await this.#request(ask)).count ?? 0;
  }

  /** Figures of it. */
  async figures(): Promise<EventLogFigures> {
    const ask = (request: number) => core.eventLogStats(this.#log, request);
    return (await this.#request(ask)).stats as EventLogFigures; // the answer to no other request
  }

  /** Closes it once all is done that was asked for; a second call answers the same. */
  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#request((request) => core.closeEventLog(this.#log, request));
    } finally {
      this.#settle(); // what was answered until now
      core.releaseEventLog(this.#log);
      for (const { reject } of this.#waiting.values()) reject(failure("event_log_closed"));
      this.#waiting.clear();
    }
  }

  async #request(ask: (request: number) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      do this.#lastRequest = (this.#lastRequest + 1) >>> 0;
      while (this.#lastRequest === OPENING || this.#waiting.has(this.#lastRequest));
      const request = this.#lastRequest;
      native(() => ask(request));
      this.#waiting.set(request, { resolve, reject });
    });
  }

  #settle(): void {
    for (const answer of core.takeFromEventLog(this.#log)) {
      const waiting = this.#waiting.get(answer.request);
      this.#waiting.delete(answer.request);
      if (answer.code === undefined) waiting?.resolve(answer);
      else waiting?.reject(failure(answer.code, answer.message));
    }
  }
}

function failure(code: string, message = ""): unknown {
  return fromNative(Object.assign(new Error(message), { code }));
}

/** Each event of an answer, as a view of its own on one buffer. */
function unpacked({ data }: Answer): Uint8Array[] {
  if (data === undefined) return [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const events: Uint8Array[] = [];
  for (let at = 0; at < data.byteLength; ) {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    events.push(data.subarray(start, at));
  }
  return events;
}
