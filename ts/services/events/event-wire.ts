import type { Pid } from "../../base/pid.ts";
import type { ErrorRecord } from "../errors/json.ts";
import type { EventLogStats } from "./event-log.ts";
import type { EventFilter } from "./event-subscriptions.ts";
import type { EventStats } from "./event-types.ts";
import type { EventQuery } from "./hot/event-query.ts";
import type { PendingLimits } from "./pending-events.ts";

/** The name that the authority of a node's events is found under. */
export const EVENT_AUTHORITY_NAME = "$foundation.events";

/** Events of one answer or request; more go in several. Unit: bytes. */
export const EVENT_PARCEL_BYTES = 4 << 20;
/** The same. Unit: events. */
export const EVENT_PARCEL_EVENTS = 4_096;

/** Events that are stored together or not at all. */
export interface EventParcel {
  readonly op: "store";
  /** Who sends it: a text that no other sender has. */
  readonly sender: string;
  /** Its number among the parcels of its sender, from 1: the same again is a repeat. */
  readonly number: number;
  readonly events: readonly Uint8Array[];
}

/** What other isolates ask the authority; events travel as the codec writes them. */
export type EventRequest =
  | { readonly op: "follow"; readonly follower: Pid }
  | EventParcel
  | { readonly op: "get"; readonly eventId: number }
  | { readonly op: "query"; readonly query: EventQuery; readonly store: EventStoreKind }
  | { readonly op: "prune"; readonly timestamp: number; readonly store: EventStoreKind }
  | { readonly op: "stats" }
  | { readonly op: "logStats" }
  | { readonly op: "subscribe"; readonly pid: Pid; readonly filter: Omit<EventFilter, "where"> }
  /** A listener of the isolate failed. */
  | { readonly op: "failed"; readonly error: ErrorRecord };

/** The store in memory, or the durable log. */
export type EventStoreKind = "hot" | "log";

/** What became of a request. */
export interface EventReceipt {
  readonly events?: readonly Uint8Array[];
  /** Whether there are more events behind these. */
  readonly isCut?: boolean;
  /** Events that were pruned, or the next id of the isolate that holds the events. */
  readonly number?: number;
  /** What may be on its way from an isolate. */
  readonly limits?: PendingLimits;
  readonly stats?: EventStats;
  readonly logStats?: EventLogStats;
  readonly error?: ErrorRecord;
}

/** The authority of a node's events, as another isolate reaches it. */
export interface EventAsker {
  ask(request: EventRequest): Promise<EventReceipt>;
}
