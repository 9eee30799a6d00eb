import { FoundationError } from "../../../base/errors.ts";

/** A span of time, both ends inclusive. Unit: ms since 1970, as `timestamp` of events. */
export type TimeRange =
  | readonly [from: number, to: number]
  | { readonly from: number; readonly to: number };

/** What events are sorted by; those of the same time by id. */
export type EventOrder = "eventId" | "timestamp";

/** Which events somebody wants, and how many of them. */
export interface EventQuery {
  /** Unit: text. Default: any. */
  readonly eventType?: string | undefined;
  /** Unit: text. Default: any. */
  readonly correlationId?: string | undefined;
  /** Unit: ms since 1970. Default: any. */
  readonly timeRange?: TimeRange | undefined;
  /** Unit: word. Default: timestamp. */
  readonly orderBy?: EventOrder | "event_id" | undefined;
  /** Whether the last one comes first. Unit: switch. Default: false. */
  readonly descending?: boolean | undefined;
  /** How many of the first to leave out. Unit: events. Default: 0. */
  readonly offset?: number | undefined;
  /** How many at most. Unit: events. Default: all. */
  readonly limit?: number | undefined;
}

/** A query as the store takes it: everything is said, and right. */
export interface PlainQuery {
  readonly eventType: string | undefined;
  readonly correlationId: string | undefined;
  readonly from: number;
  readonly to: number;
  readonly orderBy: EventOrder;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** Names of Foundation 1.x for the same. */
const ALIASES: Readonly<Record<string, keyof EventQuery>> = {
  event_type: "eventType",
  correlation_id: "correlationId",
  time_range: "timeRange",
  order_by: "orderBy",
};

/**
 * Checks a query. Keys that nobody knows are left out, as in Foundation 1.x.
 *
 * @throws FoundationError `invalid_argument` (2005) naming the key whose value cannot be
 */
export function planQuery(query: EventQuery): PlainQuery {
  if (typeof query !== "object" || query === null) throw wrong("query", "an object");
  const { eventType, correlationId, timeRange, orderBy, ...rest } = spelled(query);
  const { descending = false, offset = 0, limit } = rest;
  if (eventType !== undefined && typeof eventType !== "string") throw wrong("eventType", "a text");
  if (correlationId !== undefined && typeof correlationId !== "string") {
    throw wrong("correlationId", "a text");
  }
  if (typeof descending !== "boolean") throw wrong("descending", "true or false");
  if (!Number.isSafeInteger(offset) || offset < 0) throw wrong("offset", "a whole number from 0");
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1)) {
    throw wrong("limit", "a whole number above 0");
  }
  const order = orderOf(orderBy);
  const { from, to } = rangeOf(timeRange);
  return {
    eventType,
    correlationId,
    from,
    to,
    orderBy: order,
    descending,
    offset,
    limit: limit ?? Number.POSITIVE_INFINITY,
  };
}

function spelled(query: EventQuery): EventQuery {
  const known: Record<string, unknown> = { ...query };
  for (const [alias, name] of Object.entries(ALIASES)) {
    if (known[alias] !== undefined) known[name] ??= known[alias];
  }
  return known;
}

function orderOf(orderBy: unknown): EventOrder {
  if (orderBy === undefined || orderBy === "timestamp") return "timestamp";
  if (orderBy === "eventId" || orderBy === "event_id") return "eventId";
  throw wrong("orderBy", "'eventId' or 'timestamp'");
}

function rangeOf(range: TimeRange | undefined): { from: number; to: number } {
  if (range === undefined) {
    return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  }
  const isPair = Array.isArray(range) && range.length === 2;
  const { from, to } = isPair ? { from: range[0], to: range[1] } : { ...(range as object as Ends) };
  if (isTime(from) && isTime(to)) return { from, to };
  throw wrong("timeRange", "[from, to] or { from, to } in milliseconds");
}

interface Ends {
  readonly from?: unknown;
  readonly to?: unknown;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(value);
}

function wrong(name: string, kind: string): FoundationError {
  const text = `${name} of a query has to be ${kind}`;
  return new FoundationError("invalid_argument", text, { context: { key: name } });
}
