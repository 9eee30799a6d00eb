import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import type { ServiceCore } from "../service-slot.ts";
import { type LogSink, NO_LOG, NO_TELEMETRY, type TelemetrySink } from "../sinks.ts";
import { writeData } from "./event-codec.ts";
import type { EventOrigin } from "./event-origin.ts";
import { EVENT_STORE_DEFAULTS, type EventStoreLimits } from "./event-service-options.ts";
import { type EventSubscriberHost, EventSubscriptions } from "./event-subscriptions.ts";
import type { EventStats, EventStatus, FoundationEvent } from "./event-types.ts";
import type { PlainQuery } from "./hot/event-query.ts";
import { HotStore } from "./hot/hot-store.ts";
import type { LogWriter } from "./log-writer.ts";
import { PendingEvents } from "./pending-events.ts";
import { Retention, type RetentionConfig } from "./retention.ts";

/** What an event store works with. */
export interface EventParts {
  readonly origin: EventOrigin;
  readonly limits?: EventStoreLimits | undefined;
  readonly clock?: Clock | undefined;
  readonly config?: RetentionConfig | undefined;
  readonly telemetry?: TelemetrySink | undefined;
  readonly log?: LogSink | undefined;
  /** Where processes may subscribe. */
  readonly host?: EventSubscriberHost | undefined;
  /** What brings events to a durable store. */
  readonly writer?: LogWriter | undefined;
}

interface Counters {
  stored: number;
  pruned: number;
  /** Of those, what the telemetry does not know of yet. */
  unreported: number;
}

const STORED = ["foundation", "event_store", "events_stored"];
const PRUNED = ["foundation", "event_store", "events_pruned"];
/** A store that is full drops an event with each one that comes: so many are counted at once. */
const REPORT_EVENTS = 1_000;
const ONE = Object.freeze({ counter: 1 });

/** The events of a node: kept within limits, found by what they are, told to who wants to know. */
export class EventCore implements ServiceCore {
  readonly #parts: EventParts;
  readonly #limits: EventStoreLimits;
  readonly #clock: Clock;
  readonly #telemetry: TelemetrySink;
  readonly #hot: HotStore;
  readonly #counters: Counters;
  readonly #retention: Retention;
  readonly #startMs: number;
  readonly #startTime: number;
  readonly subscriptions: EventSubscriptions;
  /** What comes while the process of the service is gone; the next core stores it first. */
  readonly pending: PendingEvents;

  /** `last`: the core before, whose events, counters and subscriptions go on. */
  constructor(parts: EventParts, last?: EventCore) {
    this.#parts = parts;
    this.#limits = parts.limits ?? EVENT_STORE_DEFAULTS;
    this.#clock = parts.clock ?? SYSTEM_CLOCK;
    this.#telemetry = parts.telemetry ?? NO_TELEMETRY;
    this.#startMs = this.#clock.now();
    this.#startTime = this.#clock.wallNow();
    if (last !== undefined) last.#retention.close();
    this.#hot = last === undefined ? new HotStore() : last.#hot;
    this.#counters = last === undefined ? { stored: 0, pruned: 0, unreported: 0 } : last.#counters;
    this.subscriptions = last?.subscriptions ?? new EventSubscriptions(parts.host, this.#limits);
    this.#retention = new Retention(parts.config, this.#clock, () => this.#enforce());
    this.#retention.start();
    this.pending = new PendingEvents(this.#limits);
    last?.pending.drainTo(this);
  }

  /** What brings events to the log; undefined where there is none. */
  get writer(): LogWriter | undefined {
    return this.#parts.writer;
  }

  /** See `Events.store`. */
  store(event: FoundationEvent): number {
    const slot = this.#hot.stage(event, writeData(event));
    this.#admit(slot, event);
    this.#trimSoon();
    const { eventType, eventId } = event;
    this.#count(STORED, ONE, { eventType, eventId });
    return eventId;
  }

  /** See `Events.storeBatch`. */
  storeBatch(events: readonly FoundationEvent[]): number[] {
    const slots = this.#stageAll(events);
    const { length } = events;
    for (let index = 0; index < length; index++) {
      this.#admit(slots[index] as number, events[index] as FoundationEvent);
    }
    this.#trimSoon();
    if (length > 0) this.#count(STORED, { counter: length }, { batchSize: length });
    return events.map(({ eventId }) => eventId);
  }

  get(eventId: number): FoundationEvent | undefined {
    return this.#trimmed.get(eventId);
  }

  query(query: PlainQuery): FoundationEvent[] {
    return this.#trimmed.query(query);
  }

  /** See `Events.pruneBefore`. */
  pruneBefore(timestamp: number): number {
    const dropped = this.#trimmed.pruneBefore(timestamp);
    this.#counters.pruned += dropped;
    this.#counters.unreported += dropped;
    this.#reportPruned();
    return dropped;
  }

  stats(): EventStats {
    const { writer } = this.#parts;
    const hot = this.#trimmed;
    return {
      eventsStored: this.#counters.stored,
      eventsPruned: this.#counters.pruned,
      startTime: this.#startTime,
      currentEventCount: hot.size,
      uptimeMs: this.#clock.now() - this.#startMs,
      memoryUsageEstimate: hot.bytes,
      eventBytes: hot.eventBytes,
      ...this.subscriptions.counts,
      ...(writer?.counts ?? { logged: 0, unlogged: 0, waiting: 0 }),
    };
  }

  status(): EventStatus {
    const nextId = this.#parts.origin.ids.peek();
    return { status: "running", eventCount: this.#trimmed.size, nextId };
  }

  close(): void {
    this.#retention.close();
    this.pending.close();
    this.subscriptions.close();
  }

  /** All of them are written, or none is kept. */
  #stageAll(events: readonly FoundationEvent[]): number[] {
    const slots: number[] = [];
    const bytesBefore = this.#hot.eventBytes;
    try {
      for (const event of events) {
        slots.push(this.#hot.stage(event, writeData(event)));
        if (this.#hot.eventBytes - bytesBefore > this.#limits.bytesMax) throw tooLarge();
      }
      return slots;
    } catch (thrown) {
      for (const slot of slots) this.#hot.discard(slot);
      throw thrown;
    }
  }

  #admit(slot: number, event: FoundationEvent): void {
    const { origin, writer } = this.#parts;
    const { eventId, eventType, timestamp } = event;
    this.#hot.admit(slot, event);
    this.#counters.stored += 1;
    origin.ids.raise(eventId);
    origin.observe(event.hlc);
    if (writer !== undefined) {
      const correlationId = event.correlationId ?? null;
      const bytes = this.#hot.copyOf(slot);
      writer.add({ eventId, eventType, correlationId, timestamp, bytes });
    }
    // A copy: who is told may keep it, and who stored it may change it.
    if (this.subscriptions.isHeard(eventType)) this.subscriptions.tell(this.#hot.read(slot));
  }

  /** The hot store as others see it: with no more in it than it may hold. */
  get #trimmed(): HotStore {
    this.#trim();
    return this.#hot;
  }

  /** Drops what is more than the hot store may hold. */
  #trim(): void {
    this.#note(this.#hot.shrink(this.#retention.limits.eventsMax, this.#limits.bytesMax));
  }

  #trimSoon(): void {
    this.#note(this.#hot.shrinkSoon(this.#retention.limits.eventsMax, this.#limits.bytesMax));
  }

  /** So many events made room. */
  #note(dropped: number): void {
    if (dropped === 0) return;
    this.#counters.pruned += dropped;
    this.#counters.unreported += dropped;
    if (this.#counters.unreported >= REPORT_EVENTS) this.#reportPruned();
  }

  #enforce(): void {
    this.pruneBefore(this.#parts.origin.timestamp() - this.#retention.limits.ageMsMax);
  }

  #reportPruned(): void {
    const events = this.#counters.unreported;
    this.#counters.unreported = 0;
    if (events > 0) this.#count(PRUNED, { counter: events }, {});
  }

  // Whatever becomes of the report, the event is stored.
  #count(
    name: readonly string[],
    measurements: Readonly<Record<string, number>>,
    metadata: Readonly<Record<string, unknown>>,
  ): void {
    try {
      this.#telemetry.execute(name, measurements, metadata);
    } catch (thrown) {
      (this.#parts.log ?? NO_LOG).log("warn", "an event could not be counted", { error: thrown });
    }
  }
}

function tooLarge(): FoundationError {
  return new FoundationError("resource_exhausted", "a batch is larger than the event store");
}
