import { FoundationError } from "../../base/errors.ts";
import { isHybridTime } from "../../base/hybrid-clock.ts";
import { Pid } from "../../base/pid.ts";
import { isValidPositiveInteger } from "../toolkit/identifiers.ts";
import { EVENT_DATA_BYTES_MAX, EVENT_TEXT_MAX, type FoundationEvent } from "./event-types.ts";

/** Types that `validateEventType` knows: those of Foundation 1.x, and what this package stores. */
export const EVENT_TYPES: readonly string[] = Object.freeze([
  "function_entry",
  "function_exit",
  "state_change",
  "message_send",
  "message_receive",
  "spawn",
  "exit",
  "link",
  "unlink",
  "monitor",
  "demonitor",
  "system_event",
  "custom_event",
  "config_updated",
  "config_reset",
  "test",
  "test1",
  "test2",
  "test3",
  "test_event",
  "default",
  "type_a",
  "type_b",
]);

type Fields = { readonly [Key in keyof FoundationEvent]?: unknown };

const ALLOWED: ReadonlySet<string> = new Set(EVENT_TYPES);

/**
 * Checks what an event says of itself: what has to be there first, then the kinds of all fields.
 *
 * @throws FoundationError `validation_failed` (2001), `type_mismatch` (2002)
 */
export function checkEventFields(event: unknown): asserts event is FoundationEvent {
  if (typeof event !== "object" || event === null) throw mismatch("event", "an object");
  const fields = event as Fields;
  const { eventId, eventType, timestamp, correlationId, parentId } = fields;
  if (isNothing(eventId)) throw missing("eventId");
  if (isNothing(eventType)) throw missing("eventType");
  if (isNothing(timestamp)) throw missing("timestamp");
  if (!isValidPositiveInteger(eventId)) throw mismatch("eventId", "a whole number above zero");
  if (!isText(eventType, 1)) {
    throw mismatch("eventType", `a well-formed text of 1 to ${EVENT_TEXT_MAX} characters`);
  }
  if (!Number.isFinite(timestamp)) throw mismatch("timestamp", "a number of milliseconds");
  checkOrigin(fields);
  if (!isNothing(correlationId) && !isText(correlationId, 0)) {
    throw mismatch("correlationId", `a well-formed text of at most ${EVENT_TEXT_MAX} characters`);
  }
  if (!isNothing(parentId) && !isValidPositiveInteger(parentId)) {
    throw mismatch("parentId", "a whole number above zero");
  }
}

function checkOrigin({ wallTime, hlc, node, pid }: Fields): void {
  if (!isNothing(wallTime) && !Number.isFinite(wallTime)) {
    throw mismatch("wallTime", "a number of milliseconds");
  }
  if (!isNothing(hlc) && !isHybridTime(hlc)) throw mismatch("hlc", "a hybrid time");
  if (!isNothing(node) && !isText(node, 0)) {
    throw mismatch("node", `a well-formed text of at most ${EVENT_TEXT_MAX} characters`);
  }
  if (!isNothing(pid) && !isPid(pid)) throw mismatch("pid", "a pid");
}

/**
 * Checks the size of an event's data.
 *
 * @throws FoundationError `data_too_large` (2003)
 */
export function checkDataSize(bytes: number): void {
  if (bytes <= EVENT_DATA_BYTES_MAX) return;
  const text = `the data of an event take ${bytes} bytes, of ${EVENT_DATA_BYTES_MAX} at most`;
  throw new FoundationError("data_too_large", text, {
    context: { size: bytes, maxSize: EVENT_DATA_BYTES_MAX },
  });
}

/**
 * Checks a type against the list of those that are known. Nothing else does: events of any type
 * can be made and stored.
 *
 * @throws FoundationError `type_mismatch` (2002), `invalid_event_type` (2004)
 */
export function validateEventType(eventType: unknown): void {
  if (typeof eventType !== "string") throw mismatch("eventType", "a text");
  if (ALLOWED.has(eventType)) return;
  throw new FoundationError("invalid_event_type", `'${eventType.slice(0, 100)}' is not known`, {
    context: { eventType, allowedTypes: EVENT_TYPES },
  });
}

/** A pid whose texts and numbers fit where the codec puts them. */
function isPid(value: unknown): value is Pid {
  if (!(value instanceof Pid)) return false;
  const { node, life, slot, generation } = value.home;
  if (!isText(node, 0) || !isText(life, 0) || !Number.isSafeInteger(value.serial)) return false;
  return slot >>> 0 === slot && slot <= 0xffff && generation >>> 0 === generation;
}

function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function isText(value: unknown, least: number): value is string {
  if (typeof value !== "string" || value.length < least || value.length > EVENT_TEXT_MAX) {
    return false;
  }
  // UTF-8 has no lone surrogates: it would be another text when it is read.
  return value.isWellFormed();
}

function missing(field: string): FoundationError {
  const text = `an event needs its ${field}`;
  return new FoundationError("validation_failed", text, { numericCode: 2001, context: { field } });
}

function mismatch(field: string, kind: string): FoundationError {
  const text = `${field} has to be ${kind}`;
  return new FoundationError("type_mismatch", text, { numericCode: 2002, context: { field } });
}
