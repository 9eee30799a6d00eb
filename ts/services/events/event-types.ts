import type { HybridTime } from "../../base/hybrid-clock.ts";
import type { Pid } from "../../base/pid.ts";

/** Something that happened. Plain data: it is the same after a journey through the codec. */
export interface FoundationEvent<Data = unknown> {
  /** What kind of thing it was, e.g. `config_updated`. */
  readonly eventType: string;
  /** Unique on its node. Unit: none; a whole number above zero, growing with time. */
  readonly eventId: number;
  /**
   * When it happened, by a clock of its isolate that never goes back: the order of events of one
   * isolate is that of their timestamps. Unit: ms since 1970, with fractions.
   */
  readonly timestamp: number;
  /** The time of day when it happened. Unit: ms since 1970. */
  readonly wallTime: number | null;
  /** Orders events across isolates and nodes; what was caused by an event comes after it. */
  readonly hlc: HybridTime | null;
  /** Name of the node that it happened on. */
  readonly node: string | null;
  /** The process that it happened in; null outside of processes. */
  readonly pid: Pid | null;
  /** What the events of one operation have in common. */
  readonly correlationId: string | null;
  /** Id of the event that led to it. */
  readonly parentId: number | null;
  /** What is known of it. */
  readonly data: Data;
}

/** What can be said of an event when it is made; all else comes from where and when it is made. */
export interface EventOptions {
  /** Unit: none; a whole number above zero. Default: a new one. */
  readonly eventId?: number;
  /** Unit: ms since 1970, with fractions. Default: now. */
  readonly timestamp?: number;
  /** Unit: ms since 1970. Default: now. */
  readonly wallTime?: number | null;
  /** Unit: hybrid time. Default: now. */
  readonly hlc?: HybridTime | null;
  /** Unit: name. Default: this node. */
  readonly node?: string | null;
  /** Unit: pid. Default: the process that calls; null outside of processes. */
  readonly pid?: Pid | null;
  /** Unit: text. Default: a new one, a UUID of version 4. */
  readonly correlationId?: string | null;
  /** Unit: event id. Default: null. */
  readonly parentId?: number | null;
}

/** Largest data of an event, written by the codec. Unit: bytes. */
export const EVENT_DATA_BYTES_MAX = 1_000_000; // as Foundation 1.x
/** Longest type, node name and correlation id of an event. Unit: characters. */
export const EVENT_TEXT_MAX = 1_000;
/** Largest event, written by the codec: its data and all of its texts. Unit: bytes. */
export const EVENT_BYTES_MAX = EVENT_DATA_BYTES_MAX + 32_768;

/** How the event store is. */
export interface EventStatus {
  readonly status: "running";
  /** Undefined in an isolate that does not hold them: see `figures`. Unit: events. */
  readonly eventCount: number | undefined;
  /** The next event that is made here gets this id or a greater one. */
  readonly nextId: number;
}

/** Figures of the event store. */
export interface EventStats {
  /** Since the node was started; an event that replaced another one counts as well. */
  readonly eventsStored: number;
  /** Since the node was started: those that were too old, too many, or pruned by a call. */
  readonly eventsPruned: number;
  /** When its process started. Unit: ms since 1970. */
  readonly startTime: number;
  readonly currentEventCount: number;
  /** Since its process started. Unit: ms. */
  readonly uptimeMs: number;
  /** Memory of the events and of what they are found by, measured. Unit: bytes. */
  readonly memoryUsageEstimate: number;
  /** Memory that the bytes of the events lie in. Unit: bytes. */
  readonly eventBytes: number;
  /** Those who are told of events. */
  readonly subscriptions: number;
  /** Events that somebody was not told of, since too many were waiting. */
  readonly dropped: number;
  /** Calls of subscribers that threw. */
  readonly failures: number;
  /** Events that the durable log has acknowledged. */
  readonly logged: number;
  /** Events that the durable log refused or had no room for. */
  readonly unlogged: number;
  /** Events on their way to the durable log. */
  readonly waiting: number;
}
