import { checkCount, checkKeys } from "../../base/option-checks.ts";
import type { EventLog } from "./event-log.ts";
import { EVENT_BYTES_MAX } from "./event-types.ts";
import type { NodeWarmOptions } from "./warm/configured-store.ts";

/**
 * Limits of the event store beside those of the configuration: `storage.hot` says how many events
 * it keeps and how long.
 */
export interface EventStoreOptions {
  /**
   * Memory that the bytes of events may lie in; those that were stored first make room. Unit:
   * bytes, at least 4 MiB. Default: 256 MiB.
   */
  readonly bytesMax?: number;
  /**
   * Events that wait while the service is being restarted, or are on their way from another isolate
   * of the node. Unit: events. Default: 10,000.
   */
  readonly pendingEventsMax?: number;
  /** Bytes of those. Unit: bytes. Default: 16 MiB. */
  readonly pendingBytesMax?: number;
  /** Those who are told of events. Unit: subscriptions. Default: 1,000. */
  readonly subscriptionsMax?: number;
  /** Events that wait for one of them; later ones are dropped. Unit: events. Default: 1,000. */
  readonly queueEventsMax?: number;
  /** Bytes on their way to the log; `record` refuses more. Unit: bytes. Default: 16 MiB. */
  readonly logBytesMax?: number;
  /** A durable store that gets every event. Unit: store. Default: none. */
  readonly log?: EventLog | undefined;
  /**
   * The warm store as that log: opened with the node, also where `storage.warm.enable` is false.
   * What is left out comes from `storage.warm`. Unit: options. Default: `storage.warm`.
   */
  readonly warm?: NodeWarmOptions | undefined;
}

/** The same with nothing left out but the log. */
export type EventStoreLimits = Required<Omit<EventStoreOptions, "log" | "warm">>;

const BYTES_MAX_LEAST = 4 << 20;

/** Limits of the event store unless options say otherwise. */
export const EVENT_STORE_DEFAULTS: EventStoreLimits = Object.freeze({
  bytesMax: 256 << 20, // 100,000 events of 2.6 KB
  pendingEventsMax: 10_000, // a restart takes milliseconds; 1.x kept 100
  pendingBytesMax: 16 << 20, // so many events of 1.6 KB
  subscriptionsMax: 1_000, // each costs a look at each event
  queueEventsMax: 1_000, // bounds what one that hangs holds
  logBytesMax: 16 << 20, // several commits of a log ahead
});

/**
 * Checks the options of the event store and fills in what they leave out.
 *
 * @throws FoundationError `invalid_options`
 */
export function eventStoreLimits(options: Partial<EventStoreLimits> = {}): EventStoreLimits {
  checkKeys("events", options, Object.keys(EVENT_STORE_DEFAULTS));
  const limits = { ...EVENT_STORE_DEFAULTS, ...options };
  for (const [name, value] of Object.entries(limits)) checkCount(name, value);
  checkCount("bytesMax", limits.bytesMax, BYTES_MAX_LEAST);
  checkCount("pendingBytesMax", limits.pendingBytesMax, EVENT_BYTES_MAX);
  checkCount("logBytesMax", limits.logBytesMax, EVENT_BYTES_MAX);
  return limits;
}
