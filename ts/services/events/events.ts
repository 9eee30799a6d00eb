import { type Attempt, FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { ServiceSlot } from "../service-slot.ts";
import { isValidPositiveInteger } from "../toolkit/identifiers.ts";
import type { DistantEvents } from "./distant-events.ts";
import { decodeEvent, type SerializeOptions, serializeEvent } from "./event-codec.ts";
import type { EventCore } from "./event-core.ts";
import type { EventLog, EventLogStats } from "./event-log.ts";
import * as logic from "./event-logic.ts";
import type { EventOrigin } from "./event-origin.ts";
import type { EventSender } from "./event-sender.ts";
import type { EventFilter, EventListener, EventSubscriber } from "./event-subscriptions.ts";
import type { EventOptions, EventStats, EventStatus, FoundationEvent } from "./event-types.ts";
import { type EventQuery, planQuery, type TimeRange } from "./hot/event-query.ts";
import type { PendingEvents } from "./pending-events.ts";

/** An event, or what became of making one. */
export type EventOrAttempt = FoundationEvent | Attempt<FoundationEvent>;

/** How an isolate reaches the events of its node that another isolate holds. */
export interface DistantParts {
  readonly events: DistantEvents;
  readonly sender: EventSender;
  /** Whether they can be reached now. */
  readonly isLinked: () => boolean;
}

/** What the events of an isolate work with. */
export interface EventsParts {
  readonly slot: ServiceSlot<EventCore>;
  readonly origin: EventOrigin;
  /** The authority. Default: the core in the slot. */
  readonly distant?: DistantParts | undefined;
}

/** Events that `getRecent` answers with, and `history` unless its query says otherwise. */
const RECENT = 100;
const HISTORY = 1_000;
const ANY_TIME = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/**
 * The events of a node. Making, reading and writing them is pure and works anywhere. The isolate
 * that has started the node stores and finds them synchronously; `record`, `recordBatch`, `fetch`,
 * `find`, `history`, `prune`, `figures` and `follow` do the same from any isolate.
 */
export class Events {
  readonly #slot: ServiceSlot<EventCore>;
  readonly #origin: EventOrigin;
  readonly #distant: DistantParts | undefined;

  constructor({ slot, origin, distant }: EventsParts) {
    this.#slot = slot;
    this.#origin = origin;
    this.#distant = distant;
  }

  /** Does nothing where the service is running, as it is in every node. */
  initialize(): void {
    if (!this.available()) void this.#slot.core;
  }

  /**
   * Makes an event: a new id, the times, the node and the calling process come from here, and a
   * correlation id where none is given. It is stored nowhere.
   *
   * @throws FoundationError `validation_failed` (2001) without a type, `type_mismatch` (2002) for a
   *   field of the wrong kind or data that cannot be kept, `data_too_large` (2003) above 1,000,000
   *   bytes
   */
  newEvent<Data>(eventType: string, data: Data, options?: EventOptions): FoundationEvent<Data> {
    return logic.createEvent(this.#origin, eventType, data, options);
  }

  /** The same, by its name in Foundation 1.x for those who want an exception. */
  newEventOrThrow<Data>(
    eventType: string,
    data: Data,
    options?: EventOptions,
  ): FoundationEvent<Data> {
    return this.newEvent(eventType, data, options);
  }

  /** An event with these fields; all others are as in a new one of the type `default`. */
  eventWith(fields?: Partial<FoundationEvent>): FoundationEvent {
    return logic.eventWith(this.#origin, fields);
  }

  /**
   * A function was called. Arguments that take more than 10,000 bytes are cut; what bytes cannot
   * say becomes text.
   *
   * @throws FoundationError as `newEvent`
   */
  functionEntry(
    module: string,
    functionName: string,
    arity: number,
    args: readonly unknown[],
    options?: logic.FunctionEntryOptions,
  ): FoundationEvent<logic.FunctionEntry> {
    return logic.createFunctionEntry(this.#origin, module, functionName, arity, args, options);
  }

  /**
   * A function returned or failed. `durationNs`: unit ns.
   *
   * @throws FoundationError as `newEvent`
   */
  functionExit(
    module: string,
    functionName: string,
    arity: number,
    callId: number,
    result: unknown,
    durationNs: number,
    exitReason: string,
  ): FoundationEvent<logic.FunctionExit> {
    const call = { module, function: functionName, arity, callId, result, durationNs, exitReason };
    return logic.createFunctionExit(this.#origin, call);
  }

  /**
   * A server changed its state; `stateDiff` says whether it really did.
   *
   * @throws FoundationError as `newEvent`
   */
  stateChange(
    serverPid: Pid | null,
    callback: string,
    oldState: unknown,
    newState: unknown,
    options?: logic.StateChangeOptions,
  ): FoundationEvent<logic.StateChange> {
    return logic.createStateChange(this.#origin, serverPid, callback, oldState, newState, options);
  }

  /**
   * An event as bytes: versioned, with a check sum, smaller where that pays.
   *
   * @throws FoundationError `serialization_failed` (3101) with the reason as `cause`
   */
  serialize(event: FoundationEvent, options?: SerializeOptions): Uint8Array {
    return serializeEvent(event, options);
  }

  /**
   * The event that bytes hold; they may come from anywhere.
   *
   * @throws FoundationError `deserialization_failed` (3102)
   */
  deserialize(bytes: Uint8Array): FoundationEvent {
    return decodeEvent(bytes);
  }

  /**
   * How many bytes `serialize` makes of it.
   *
   * @throws FoundationError `serialization_failed` (3101)
   */
  serializedSize(event: FoundationEvent, options?: SerializeOptions): number {
    return serializeEvent(event, options).length;
  }

  /**
   * Stores an event, or what an attempt at making one gave; one of the same id is replaced. While
   * the service is being restarted the event waits, and is stored before any later one. Afterwards
   * the counter `foundation.event_store.events_stored` has grown.
   *
   * @returns the id
   * @throws FoundationError what the attempt failed with, `invalid_argument` (2005) for what is
   *   neither, `validation_failed` (2001), `type_mismatch` (2002), `data_too_large` (2003),
   *   `service_unavailable` (3000), `not_root_isolate`
   */
  store(event: EventOrAttempt): number {
    const one = eventIn(event);
    this.#checkHere("record");
    const waiting = this.#waiting;
    if (waiting !== undefined) return waiting.add([one])[0] as number;
    return this.#slot.core.store(one);
  }

  /**
   * Stores events, all of them or, where one is not right, none. The counter grows once, by their
   * number.
   *
   * @returns the ids, in order
   * @throws FoundationError as `store`, and `resource_exhausted` where they are more than fits
   */
  storeBatch(events: readonly EventOrAttempt[]): number[] {
    const all = eventsIn(events);
    this.#checkHere("recordBatch");
    return this.#waiting?.add(all) ?? this.#slot.core.storeBatch(all);
  }

  /**
   * As `store`, in any isolate of the node. Resolves when the event is stored, and acknowledged by
   * the durable log where there is one.
   *
   * @throws FoundationError as `store`, `resource_exhausted` and what the log fails with, and what
   *   `call` throws
   */
  async record(event: EventOrAttempt): Promise<number> {
    const one = eventIn(event);
    if (this.#distant === undefined) return this.#acknowledged(() => this.store(one));
    await this.#distant.sender.send(one);
    return one.eventId;
  }

  /** As `storeBatch`, in any isolate; resolves as `record` does. Unit: at most 16 MiB elsewhere. */
  async recordBatch(events: readonly EventOrAttempt[]): Promise<number[]> {
    const all = eventsIn(events);
    if (this.#distant === undefined) return this.#acknowledged(() => this.storeBatch(all));
    await this.#distant.sender.sendBatch(all);
    return all.map(({ eventId }) => eventId);
  }

  /**
   * The event of an id.
   *
   * @throws FoundationError `not_found` (3001), `invalid_argument` (2005) for what is no id,
   *   `service_unavailable` (3000), `not_root_isolate`
   */
  get(eventId: number): FoundationEvent {
    const event = this.lookup(eventId);
    if (event !== undefined) return event;
    const text = `there is no event of the id ${eventId}`;
    throw new FoundationError("not_found", text, { numericCode: 3001, context: { eventId } });
  }

  /** The event of an id; undefined where there is none. Throws as `get` otherwise. */
  lookup(eventId: number): FoundationEvent | undefined {
    checkId(eventId);
    return this.#readable("fetch").get(eventId);
  }

  /** As `lookup`, in any isolate of the node; looks into the durable log too. */
  async fetch(eventId: number): Promise<FoundationEvent | undefined> {
    checkId(eventId);
    if (this.#distant !== undefined) return this.#distant.events.fetch(eventId);
    const event = this.lookup(eventId);
    if (event !== undefined) return event;
    const bytes = await this.#log?.get(eventId);
    return bytes === undefined ? undefined : decodeEvent(bytes);
  }

  /**
   * The events that a query asks for: by type, correlation id and time, sorted by time unless told
   * otherwise, all of them unless limited.
   *
   * @throws FoundationError `invalid_argument` (2005), `service_unavailable` (3000),
   *   `not_root_isolate`
   */
  query(query: EventQuery = {}): FoundationEvent[] {
    return this.#readable("find").query(planQuery(query));
  }

  /** As `query`, in any isolate of the node. */
  async find(query: EventQuery = {}): Promise<FoundationEvent[]> {
    planQuery(query);
    return this.#distant === undefined
      ? this.query(query)
      : this.#distant.events.find(query, "hot");
  }

  /**
   * As `find`, from the durable log: also what the hot store has let go. At most 1,000 events
   * unless the query says otherwise.
   *
   * @throws FoundationError `operation_not_supported` (4001) where the node has no log
   */
  async history(query: EventQuery = {}): Promise<FoundationEvent[]> {
    const { from, to, ...rest } = planQuery(query);
    const limit = query.limit ?? HISTORY;
    if (this.#distant !== undefined) return this.#distant.events.find({ ...query, limit }, "log");
    const span = { from: finite(from), to: finite(to) };
    const found = await this.#neededLog.query({ ...rest, ...span, limit });
    return found.map((bytes) => decodeEvent(bytes));
  }

  /** The events of a correlation id, the earliest first. Throws as `query`. */
  getByCorrelation(correlationId: string): FoundationEvent[] {
    return this.query({ correlationId });
  }

  /** The same: one operation's events in the order in which they happened. */
  getCorrelationChain(correlationId: string): FoundationEvent[] {
    return this.getByCorrelation(correlationId);
  }

  /** The events of a span of time, both ends inclusive, the earliest first. Unit: ms since 1970. */
  getTimeRange(from: number, to: number): FoundationEvent[] {
    const timeRange: TimeRange = [from, to];
    return this.query({ timeRange });
  }

  /** The newest events, the newest first. `limit`: unit events, 100 unless given. */
  getRecent(limit = RECENT): FoundationEvent[] {
    return this.query({ timeRange: ANY_TIME, descending: true, limit });
  }

  /**
   * Drops what happened before a time, exclusive. Unit: ms since 1970; answer: events.
   *
   * @throws FoundationError `invalid_argument` (2005), `service_unavailable` (3000),
   *   `not_root_isolate`
   */
  pruneBefore(timestamp: number): number {
    checkTime(timestamp);
    this.#checkHere("prune");
    return this.#slot.core.pruneBefore(timestamp);
  }

  /** As `pruneBefore`, in any isolate of the node. The durable log keeps what it has. */
  async prune(timestamp: number): Promise<number> {
    checkTime(timestamp);
    if (this.#distant !== undefined) return this.#distant.events.prune(timestamp, "hot");
    return this.pruneBefore(timestamp);
  }

  /**
   * Drops what happened before a time, exclusive, from the durable log. In any isolate of the node.
   * Unit: ms since 1970; answer: events.
   *
   * @throws FoundationError `invalid_argument` (2005), `operation_not_supported` (4001) where the
   *   node has no log, and what the log fails with
   */
  async pruneHistory(timestamp: number): Promise<number> {
    checkTime(timestamp);
    if (this.#distant !== undefined) return this.#distant.events.prune(timestamp, "log");
    return this.#neededLog.pruneBefore(timestamp);
  }

  /**
   * Figures of the durable log, in any isolate of the node.
   *
   * @throws FoundationError `operation_not_supported` (4001) where the node has no log
   */
  async historyFigures(): Promise<EventLogStats> {
    return this.#distant === undefined ? this.#neededLog.stats() : this.#distant.events.logStats();
  }

  /**
   * Tells a function or a process of the events that are stored from now on, until the returned
   * function is called or the process ends. They are told after the event was stored, in order, and
   * never hold up who stores: where too many events wait for one of them, it misses the later ones.
   *
   * @throws FoundationError `invalid_argument`, `resource_exhausted`, `service_unavailable`,
   *   `not_root_isolate`
   */
  subscribe(subscriber: EventSubscriber, filter?: EventFilter): Unsubscribe {
    this.#checkHere("follow");
    return this.#slot.core.subscriptions.add(subscriber, filter);
  }

  /** As `subscribe`, for a function in any isolate of the node. */
  async follow(listener: EventListener, filter: EventFilter = {}): Promise<Unsubscribe> {
    if (this.#distant === undefined) return this.subscribe(listener, filter);
    return this.#distant.events.follow(listener, filter);
  }

  /** Figures of the store. Throws as `query`. */
  stats(): EventStats {
    return this.#readable("figures").stats();
  }

  /** As `stats`, in any isolate of the node. */
  async figures(): Promise<EventStats> {
    return this.#distant === undefined ? this.stats() : this.#distant.events.stats();
  }

  /**
   * How the service is.
   *
   * @throws FoundationError `service_unavailable` (3000)
   */
  status(): EventStatus {
    if (this.#distant === undefined) return this.#slot.core.status();
    if (!this.#distant.isLinked()) void this.#slot.core;
    return { status: "running", eventCount: undefined, nextId: this.nextId };
  }

  /** Whether events can be stored and found now. */
  available(): boolean {
    return this.#distant === undefined ? this.#slot.isUp : this.#distant.isLinked();
  }

  /** Events that wait for the service or, in another isolate, are on their way to it. */
  get pending(): number {
    return this.#distant === undefined ? (this.#waiting?.size ?? 0) : this.#distant.sender.size;
  }

  /** The next event that is made here gets this id or a greater one. */
  get nextId(): number {
    return this.#origin.ids.peek();
  }

  // As what can be read, the log is there while the service is being restarted.
  get #log(): EventLog | undefined {
    return this.#slot.present?.writer?.log;
  }

  get #neededLog(): EventLog {
    const log = this.#log;
    if (log !== undefined) return log;
    const text = "this node has no durable log of events; see `storage.warm`";
    throw new FoundationError("operation_not_supported", text);
  }

  /** Stores, and resolves when that is acknowledged by the log, where there is one. */
  async #acknowledged<Ids>(store: () => Ids): Promise<Ids> {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      const ids = store();
      await waiting.stored;
      return ids;
    }
    const { writer } = this.#slot.core;
    return writer === undefined ? store() : writer.track(store);
  }

  /** Where events wait, while the process of the service is gone. */
  get #waiting(): PendingEvents | undefined {
    return this.#slot.isUp ? undefined : this.#slot.last?.pending;
  }

  // Reading goes on while the service is being restarted: what it held cannot have changed.
  #readable(instead: string): EventCore {
    this.#checkHere(instead);
    return this.#slot.held;
  }

  #checkHere(instead: string): void {
    if (this.#distant === undefined) return;
    const text = `events are held by the isolate that started the node: use \`${instead}\``;
    throw new FoundationError("not_root_isolate", text);
  }
}

function eventsIn(events: readonly EventOrAttempt[]): FoundationEvent[] {
  if (!Array.isArray(events)) throw invalid("a batch is a list of events");
  return (events as readonly EventOrAttempt[]).map(eventIn);
}

function eventIn(event: EventOrAttempt): FoundationEvent {
  if (typeof event !== "object" || event === null) {
    throw invalid("what is stored is an event, or the attempt at making one");
  }
  if ("ok" in event) {
    if (!event.ok) throw event.error;
    return eventIn(event.value);
  }
  return event;
}

function finite(time: number): number | undefined {
  return Number.isFinite(time) ? time : undefined;
}

function checkId(eventId: number): void {
  if (!isValidPositiveInteger(eventId)) throw invalid("an id is a whole number above zero");
}

function checkTime(timestamp: number): void {
  if (!Number.isFinite(timestamp)) throw invalid("a time is a number of milliseconds since 1970");
}

function invalid(text: string): FoundationError {
  return new FoundationError("invalid_argument", text, { numericCode: 2005 });
}
