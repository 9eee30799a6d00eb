import { attempt, type FoundationError } from "../../base/errors.ts";
import { checkCount, checkKeys } from "../../base/option-checks.ts";
import { asFoundationError } from "../errors/wrapping.ts";
import { safeInspect } from "../toolkit/sizes.ts";
import type { EventOptions, FoundationEvent } from "./event-types.ts";
import type { EventOrAttempt, Events } from "./events.ts";
import type { EventQuery } from "./hot/event-query.ts";
import { plainCopy } from "./plain-copy.ts";

/** How much an {@link EventFallback} keeps. */
export interface EventFallbackOptions {
  /** Events that could not be stored; the oldest make room. Unit: events. Default: 100. */
  readonly keptEventsMax?: number;
}

/** What an {@link EventFallback} keeps unless options say otherwise. */
export const EVENT_FALLBACK_DEFAULTS = Object.freeze({
  keptEventsMax: 100, // as Foundation 1.x
});

/** What became of an event that was to be stored. */
export interface SafeReceipt {
  /** Id of the event; undefined where it was none. */
  readonly eventId: number | undefined;
  readonly isStored: boolean;
  /** Why it was not. */
  readonly error: FoundationError | undefined;
}

/** What a query found, or why it found nothing. */
export interface SafeEvents {
  readonly events: readonly FoundationEvent[];
  /** Undefined where the answer is that of the store. */
  readonly warning: FoundationError | undefined;
}

/** Figures of an {@link EventFallback}. */
export interface EventFallbackStats {
  /** Events that wait for `retryKept`. */
  readonly kept: number;
  /** The oldest of them, that made room for others. */
  readonly dropped: number;
}

/**
 * Makes, writes and stores events whatever happens: data that cannot be kept become data that can,
 * bytes that cannot be read become an event that says so, and events that cannot be stored are kept
 * for later. None of its calls throws.
 */
export class EventFallback {
  readonly #events: Events;
  readonly #keptMax: number;
  #kept: FoundationEvent[] = [];
  #dropped = 0;

  /** @throws FoundationError `invalid_options` */
  constructor(events: Events, options: EventFallbackOptions = {}) {
    checkKeys("event fallback", options, Object.keys(EVENT_FALLBACK_DEFAULTS));
    const { keptEventsMax } = { ...EVENT_FALLBACK_DEFAULTS, ...options };
    this.#events = events;
    this.#keptMax = checkCount("keptEventsMax", keptEventsMax);
  }

  /**
   * An event of these data; where they cannot be kept, of a plain copy of them, in which functions,
   * symbols and pids are text; where that is too large, one whose data are `original_data_error`.
   */
  newEventSafe(eventType: string, data: unknown, options?: EventOptions): FoundationEvent {
    const made = attempt(() => this.#events.newEvent(eventType, data, options));
    if (made.ok) return made.value;
    const type = typeof eventType === "string" && eventType !== "" ? eventType : "custom_event";
    const plain = attempt(() => this.#events.newEvent(type, plainCopy(data), options));
    if (plain.ok) return plain.value;
    return this.#events.newEvent(type.slice(0, 100).toWellFormed(), {
      original_data_error: messageOf(plain.error),
      preview: safeInspect(data).slice(0, 1_000),
    });
  }

  /** The bytes of an event; where it cannot be written, those of what can be said of it. */
  serializeSafe(event: FoundationEvent): Uint8Array {
    const written = attempt(() => this.#events.serialize(event));
    if (written.ok) return written.value;
    const { eventType, eventId, data } = (event ?? {}) as Partial<FoundationEvent>;
    const known = attempt(() => this.#events.eventWith({ ...event, data: plainCopy(data) }));
    const plain = attempt(() =>
      this.#events.serialize((known as { value: FoundationEvent }).value),
    );
    if (plain.ok) return plain.value;
    const rest = { original_event: plainCopy({ eventType, eventId }) };
    return this.#events.serialize(this.newEventSafe("serialization_fallback", rest));
  }

  /**
   * The event that bytes hold; where they hold none, one of the type `deserialization_fallback`
   * with the reason and the beginning of the bytes.
   */
  deserializeSafe(bytes: Uint8Array): FoundationEvent {
    const read = attempt(() => this.#events.deserialize(bytes));
    if (read.ok) return read.value;
    const isBytes = bytes instanceof Uint8Array;
    return this.newEventSafe("deserialization_fallback", {
      error: messageOf(read.error),
      binarySize: isBytes ? bytes.length : null,
      preview: isBytes ? bytes.slice(0, 64) : safeInspect(bytes, 10),
    });
  }

  /**
   * Stores an event; where that fails for a reason that may pass, it is kept for `retryKept`.
   */
  storeSafe(event: EventOrAttempt): SafeReceipt {
    const stored = attempt(() => this.#events.store(event));
    if (stored.ok) return { eventId: stored.value, isStored: true, error: undefined };
    const error = asFoundationError(stored.error);
    const one = eventOf(event);
    if (one !== undefined && mayPass(error)) this.#keep(one);
    return { eventId: one?.eventId, isStored: false, error };
  }

  /** Tries to store what was kept, in order; answers with how many events were and are left. */
  retryKept(): { readonly stored: number; readonly left: number } {
    const kept = this.#kept;
    this.#kept = [];
    let stored = 0;
    for (const event of kept) if (this.storeSafe(event).isStored) stored += 1;
    return { stored, left: this.#kept.length };
  }

  /** The events that a query asks for; none, with a warning, where it fails. */
  querySafe(query: EventQuery = {}): SafeEvents {
    const found = attempt(() => this.#events.query(query));
    if (found.ok) return { events: found.value, warning: undefined };
    return { events: [], warning: asFoundationError(found.error) };
  }

  /** Figures of what is kept. */
  stats(): EventFallbackStats {
    return { kept: this.#kept.length, dropped: this.#dropped };
  }

  #keep(event: FoundationEvent): void {
    this.#kept.push(event);
    if (this.#kept.length <= this.#keptMax) return;
    this.#kept.shift();
    this.#dropped += 1;
  }
}

function mayPass({ code }: FoundationError): boolean {
  return code === "service_unavailable" || code === "resource_exhausted";
}

function eventOf(event: EventOrAttempt): FoundationEvent | undefined {
  if (typeof event !== "object" || event === null) return undefined;
  if ("ok" in event) return event.ok ? event.value : undefined;
  return event;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : safeInspect(error);
}
