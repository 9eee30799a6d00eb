import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { type Attempt, attempt, FoundationError } from "../../base/errors.ts";
import { errorFromRecord } from "../errors/json.ts";
import { encodeEvent } from "./event-codec.ts";
import type { FoundationEvent } from "./event-types.ts";
import { EVENT_PARCEL_BYTES, type EventAsker, type EventReceipt } from "./event-wire.ts";
import type { PendingLimits } from "./pending-events.ts";

/** How long events wait for an authority that is being restarted. Unit: ms. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 50;
/** Errors of a call that leave open whether its events are stored: they are sent again. */
const PASSING: ReadonlySet<unknown> = new Set([
  "noproc",
  "process_exited",
  "timeout",
  "mailbox_full",
  "service_unavailable",
  "noconnection",
]);

interface Parcel {
  readonly events: Uint8Array[];
  bytes: number;
  /** Whether more events may come into it. */
  readonly isOpen: boolean;
  readonly done: Promise<void>;
  readonly settle: (sent: Attempt<void>) => void;
}

/**
 * Brings the events of an isolate to the one store of its node, in order. Those of one turn of the
 * event loop travel together. While the store is being restarted they wait; a parcel that arrives
 * twice is stored once, since it has a number.
 */
export class EventSender {
  readonly #asker: EventAsker;
  readonly #limits: () => PendingLimits;
  readonly #clock: Clock;
  readonly #parcels: Parcel[] = [];
  #events = 0;
  #bytes = 0;
  #isSending = false;
  readonly #sender = randomUUID();
  /** That of the parcel that is sent now. */
  #number = 0;

  constructor(asker: EventAsker, limits: () => PendingLimits, clock: Clock) {
    this.#asker = asker;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Events that have not been acknowledged. */
  get size(): number {
    return this.#events;
  }

  /**
   * Sends an event, in company where there is some; resolves when it is stored.
   *
   * @throws FoundationError what is wrong with it, `service_unavailable` (3000), what `call` throws
   */
  async send(event: FoundationEvent): Promise<void> {
    const encoded = encodeEvent(event);
    this.#makeRoom([encoded]);
    const last = this.#parcels.at(-1);
    const fits = last !== undefined && last.bytes + encoded.length <= EVENT_PARCEL_BYTES;
    const parcel = fits && last.isOpen ? last : this.#add(parcelOf(true));
    parcel.events.push(encoded);
    parcel.bytes += encoded.length;
    return parcel.done;
  }

  /** Sends events that are stored together or not at all. */
  async sendBatch(events: readonly FoundationEvent[]): Promise<void> {
    const encoded = events.map(encodeEvent);
    this.#makeRoom(encoded);
    const parcel = this.#add(parcelOf(false));
    parcel.events.push(...encoded);
    return parcel.done;
  }

  #makeRoom(encoded: readonly Uint8Array[]): void {
    const bytes = encoded.reduce((sum, { length }) => sum + length, this.#bytes);
    const { pendingEventsMax, pendingBytesMax } = this.#limits();
    if (this.#events + encoded.length > pendingEventsMax || bytes > pendingBytesMax) {
      const text = `${this.#events} events of this isolate are on their way to the store already`;
      const context = { service: "events", pending: this.#events };
      throw new FoundationError("service_unavailable", text, { numericCode: 3000, context });
    }
    this.#events += encoded.length;
    this.#bytes = bytes;
  }

  #add(parcel: Parcel): Parcel {
    this.#parcels.push(parcel);
    if (!this.#isSending) {
      this.#isSending = true;
      setImmediate(() => void this.#sendAll());
    }
    return parcel;
  }

  async #sendAll(): Promise<void> {
    for (let parcel = this.#parcels.shift(); parcel !== undefined; parcel = this.#parcels.shift()) {
      const { events, settle } = parcel;
      const sent = await attempt(async () => this.#deliver(events));
      this.#events -= events.length;
      for (const { length } of events) this.#bytes -= length;
      settle(sent);
    }
    this.#isSending = false;
  }

  async #deliver(events: readonly Uint8Array[]): Promise<void> {
    const endMs = this.#clock.now() + PATIENCE_MS;
    this.#number += 1;
    const parcel = { op: "store", sender: this.#sender, number: this.#number, events } as const;
    for (;;) {
      const asked = await attempt(async () => this.#asker.ask(parcel));
      if (asked.ok && asked.value.error === undefined) return;
      const isOver = this.#clock.now() + RETRY_MS > endMs;
      if (isOver || !mayPass(asked)) {
        throw asked.ok ? errorFromRecord(asked.value.error) : asked.error;
      }
      await new Promise<void>((resolve) => void this.#clock.after(RETRY_MS, resolve, true));
    }
  }
}

/** Whether a parcel that this became of may be stored when it is sent again, and is not yet. */
function mayPass(asked: Attempt<EventReceipt>): boolean {
  // What the log refused was stored; a store that is away says so by its number.
  if (asked.ok) return asked.value.error?.numericCode === 3000;
  return PASSING.has((asked.error as { code?: unknown } | undefined)?.code);
}

function parcelOf(isOpen: boolean): Parcel {
  let settle: Parcel["settle"] = () => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (sent) => (sent.ok ? resolve() : reject(sent.error as Error));
  });
  return { events: [], bytes: 0, isOpen, done, settle };
}
