import { FoundationError } from "../../base/errors.ts";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import type { EventCore } from "./event-core.ts";
import type { FoundationEvent } from "./event-types.ts";

/** Events that may wait. */
export interface PendingLimits {
  readonly pendingEventsMax: number;
  readonly pendingBytesMax: number;
}

/**
 * Events that came while the store was being restarted, in order. They are checked and written when
 * they come, so that a change of the event afterwards changes nothing.
 */
export class PendingEvents {
  readonly #limits: PendingLimits;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #isClosed = false;
  #resolve: (stored: Promise<void> | undefined) => void = () => {};
  #reject: (error: FoundationError) => void = () => {};
  /**
   * Resolves when the store is back and has all of them and, where there is a log, so has the log;
   * rejects where one of the two does not.
   */
  readonly stored = new Promise<void>((resolve, reject) => {
    this.#resolve = (stored) => resolve(stored as Promise<void>);
    this.#reject = reject;
  });

  constructor(limits: PendingLimits) {
    this.#limits = limits;
    this.stored.catch(() => {}); // where nobody waits for it, nobody is to be told
  }

  get size(): number {
    return this.#waiting.length;
  }

  /**
   * Takes events, all or none.
   *
   * @throws FoundationError what is wrong with one of them, `service_unavailable` (3000) where
   *   there is no more room
   */
  add(events: readonly FoundationEvent[]): number[] {
    const encoded = events.map(encodeEvent);
    const bytes = encoded.reduce((sum, { length }) => sum + length, this.#bytes);
    const { pendingEventsMax, pendingBytesMax } = this.#limits;
    const isFull = this.size + encoded.length > pendingEventsMax || bytes > pendingBytesMax;
    if (isFull || this.#isClosed) throw this.#unavailable();
    this.#waiting.push(...encoded);
    this.#bytes = bytes;
    return events.map(({ eventId }) => eventId);
  }

  /** The store is back: it gets all of them, in order, before anything else. */
  drainTo(core: EventCore): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    const store = (): void => {
      for (const bytes of waiting) core.store(decodeEvent(bytes));
    };
    const { writer } = core;
    if (writer === undefined) store();
    this.#resolve(writer?.track(store));
  }

  /** The store does not come back: nothing is taken any more. */
  close(): void {
    this.#isClosed = true;
    this.#reject(this.#unavailable());
  }

  #unavailable(): FoundationError {
    const text = `the event store is not running, and ${this.size} events wait for it already`;
    const context = { service: "events", pending: this.size };
    return new FoundationError("service_unavailable", text, { numericCode: 3000, context });
  }
}
