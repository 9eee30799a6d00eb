import type { WrittenValue } from "../../../kernel/value-writer.ts";
import { readEvent } from "../event-codec.ts";
import type { FoundationEvent } from "../event-types.ts";
import { Columns, NONE } from "./columns.ts";
import { CorrelationChains } from "./correlation-chains.ts";
import { EventArena } from "./event-arena.ts";
import type { PlainQuery } from "./event-query.ts";
import { SortedSlots, type Visit } from "./sorted-slots.ts";

const NOTHING: readonly number[] = [];
/** Where a type or a time span has a smaller part of all events, those of it are sorted by id. */
const SMALL_PART = 64;
/** A store that is full drops a few events at a time: this part of them, at most so many. */
const SLACK_PART = 64;
const SLACK_MAX = 64;

interface TypeIndex {
  readonly name: string;
  readonly number: number;
  readonly byTime: SortedSlots;
}

/**
 * Events in memory: their bytes in an arena, what they are found by in columns. What comes out are
 * events of one's own; what went in may change without a change here.
 */
export class HotStore {
  readonly #columns = new Columns();
  readonly #arena = new EventArena();
  readonly #byId = new SortedSlots(this.#columns, "ids");
  readonly #byTime = new SortedSlots(this.#columns, "timestamps");
  readonly #chains = new CorrelationChains(this.#columns);
  readonly #types = new Map<string, TypeIndex>();
  readonly #typesByNumber: (TypeIndex | undefined)[] = [];
  readonly #freeTypes: number[] = [];
  #oldest = NONE;
  #newest = NONE;
  #greatest = 0;

  /** Events in it. */
  get size(): number {
    return this.#byId.size;
  }

  /** Memory that the bytes of the events lie in. Unit: bytes. */
  get eventBytes(): number {
    return this.#arena.bytes;
  }

  /** Memory of all of it but the heads of the indexes. Unit: bytes. */
  get bytes(): number {
    let bytes = this.#arena.heldBytes + this.#columns.bytes + this.#chains.bytes;
    bytes += this.#byId.bytes + this.#byTime.bytes;
    for (const { byTime } of this.#types.values()) bytes += byTime.bytes;
    return bytes;
  }

  /** Puts an event by, for {@link admit} or {@link discard}. Nobody finds it yet. */
  stage(event: FoundationEvent, data: WrittenValue): number {
    const columns = this.#columns;
    const arena = this.#arena;
    arena.put(event, data);
    const slot = columns.take();
    columns.ids[slot] = event.eventId;
    columns.timestamps[slot] = event.timestamp;
    columns.chunks[slot] = arena.chunk;
    columns.starts[slot] = arena.start;
    columns.lengths[slot] = arena.length;
    return slot;
  }

  /** Takes an event that was put by; one of the same id makes room for it. */
  admit(slot: number, { eventId, eventType, correlationId }: FoundationEvent): void {
    const columns = this.#columns;
    const before = eventId > this.#greatest ? NONE : this.#byId.find(eventId);
    if (before !== NONE) this.#remove(before);
    this.#byId.add(slot);
    this.#byTime.add(slot);
    const type = this.#types.get(eventType) ?? this.#addType(eventType);
    columns.types[slot] = type.number;
    type.byTime.add(slot);
    this.#chains.add(slot, correlationId ?? null);
    columns.older[slot] = this.#newest;
    columns.newer[slot] = NONE;
    if (this.#newest === NONE) this.#oldest = slot;
    else columns.newer[this.#newest] = slot;
    this.#newest = slot;
    if (eventId > this.#greatest) this.#greatest = eventId;
  }

  /** Gives up an event that was put by. */
  discard(slot: number): void {
    this.#arena.free(this.#columns.chunks[slot] as number, this.#columns.lengths[slot] as number);
    this.#columns.release(slot);
  }

  /** The event of an id; undefined where there is none. */
  get(eventId: number): FoundationEvent | undefined {
    const slot = this.#byId.find(eventId);
    return slot === NONE ? undefined : this.read(slot);
  }

  /** The event in a slot. */
  read(slot: number): FoundationEvent {
    const columns = this.#columns;
    const start = columns.starts[slot] as number;
    const memory = this.#arena.memory(columns.chunks[slot] as number);
    return readEvent(memory, start, start + (columns.lengths[slot] as number));
  }

  /** A copy of an event's bytes. */
  copyOf(slot: number): Uint8Array {
    const columns = this.#columns;
    const start = columns.starts[slot] as number;
    const end = start + (columns.lengths[slot] as number);
    const { bytes } = this.#arena.memory(columns.chunks[slot] as number);
    return new Uint8Array(bytes.subarray(start, end));
  }

  /** The events that a query asks for. */
  query(query: PlainQuery): FoundationEvent[] {
    const found: FoundationEvent[] = [];
    const { correlationId, limit } = query;
    let left = query.offset;
    this.#visit(query, (slot) => {
      // Slots of another id may share its chain: only the event itself tells.
      const isSure = correlationId === undefined;
      if (isSure && left > 0) {
        left -= 1;
        return true;
      }
      const event = this.read(slot);
      if (!isSure && event.correlationId !== correlationId) return true;
      if (left > 0) left -= 1;
      else found.push(event);
      return found.length < limit;
    });
    return found;
  }

  /** Drops what happened before a time, exclusive; answers with how many events that were. */
  pruneBefore(timestamp: number): number {
    const slots: number[] = [];
    this.#byTime.upwards(Number.NEGATIVE_INFINITY, timestamp, (slot) => {
      if (this.#columns.timestamps[slot] === timestamp) return false;
      slots.push(slot);
      return true;
    });
    for (const slot of slots) this.#remove(slot);
    return slots.length;
  }

  /** Drops those that were stored first, until no more than so many events and bytes are left. */
  shrink(eventsMax: number, bytesMax: number): number {
    let dropped = 0;
    while (this.size > eventsMax || (this.#arena.bytes > bytesMax && this.size > 1)) {
      this.#remove(this.#oldest);
      dropped += 1;
    }
    return dropped;
  }

  /** The same once a few are too many: for who stores, where nobody looks. */
  shrinkSoon(eventsMax: number, bytesMax: number): number {
    const slack = Math.min(SLACK_MAX, Math.floor(eventsMax / SLACK_PART));
    const isSoon = this.size <= eventsMax + slack && this.#arena.bytes <= bytesMax;
    return isSoon ? 0 : this.shrink(eventsMax, bytesMax);
  }

  #visit(query: PlainQuery, visit: Visit): void {
    const { eventType, correlationId, from, to, orderBy, descending } = query;
    if (correlationId !== undefined) return visitAll(this.#chosen(query, correlationId), visit);
    const type = eventType === undefined ? undefined : this.#types.get(eventType);
    if (eventType !== undefined && type === undefined) return;
    const byTime = type?.byTime ?? this.#byTime;
    const way = descending ? "downwards" : "upwards";
    if (orderBy === "timestamp") return byTime[way](from, to, visit);
    if (byTime.about(from, to) <= this.size / SMALL_PART) {
      const slots: number[] = [];
      byTime.upwards(from, to, (slot) => slots.push(slot) > 0);
      return visitAll(this.#sorted(slots, query), visit);
    }
    const { timestamps, types } = this.#columns;
    this.#byId[way](Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, (slot) => {
      if (type !== undefined && types[slot] !== type.number) return true;
      const timestamp = timestamps[slot] as number;
      return timestamp < from || timestamp > to || visit(slot);
    });
  }

  /** Slots of a correlation id, of the type and time that are asked for, sorted. */
  #chosen(query: PlainQuery, correlationId: string): readonly number[] {
    const { eventType, from, to } = query;
    const type = eventType === undefined ? undefined : this.#types.get(eventType);
    if (eventType !== undefined && type === undefined) return NOTHING;
    const { types, timestamps } = this.#columns;
    const slots: number[] = [];
    this.#chains.visit(correlationId, (slot) => {
      const timestamp = timestamps[slot] as number;
      const isWanted = type === undefined || types[slot] === type.number;
      if (isWanted && timestamp >= from && timestamp <= to) slots.push(slot);
      return true;
    });
    return this.#sorted(slots, query);
  }

  #sorted(slots: number[], { orderBy, descending }: PlainQuery): number[] {
    const { ids, timestamps } = this.#columns;
    const keys = orderBy === "eventId" ? ids : timestamps;
    const sign = descending ? -1 : 1;
    return slots.sort((a, b) => {
      const difference = (keys[a] as number) - (keys[b] as number);
      return sign * (difference || (ids[a] as number) - (ids[b] as number));
    });
  }

  #remove(slot: number): void {
    const columns = this.#columns;
    this.#byId.remove(slot);
    this.#byTime.remove(slot);
    const type = this.#typesByNumber[columns.types[slot] as number] as TypeIndex;
    type.byTime.remove(slot);
    if (type.byTime.size === 0) this.#dropType(type);
    this.#chains.remove(slot);
    const older = columns.older[slot] as number;
    const newer = columns.newer[slot] as number;
    if (older === NONE) this.#oldest = newer;
    else columns.newer[older] = newer;
    if (newer === NONE) this.#newest = older;
    else columns.older[newer] = older;
    this.discard(slot);
  }

  #addType(name: string): TypeIndex {
    const number = this.#freeTypes.pop() ?? this.#typesByNumber.length;
    const type = { name, number, byTime: new SortedSlots(this.#columns, "timestamps") };
    this.#types.set(name, type);
    this.#typesByNumber[number] = type;
    return type;
  }

  #dropType({ name, number }: TypeIndex): void {
    this.#types.delete(name);
    this.#typesByNumber[number] = undefined;
    this.#freeTypes.push(number);
  }
}

function visitAll(slots: readonly number[], visit: Visit): void {
  for (const slot of slots) if (!visit(slot)) return;
}
