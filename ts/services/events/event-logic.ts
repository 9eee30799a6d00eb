import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import { generateId } from "../toolkit/identifiers.ts";
import { truncateIfLarge } from "../toolkit/sizes.ts";
import { dataBytes, writeData } from "./event-codec.ts";
import type { EventOrigin } from "./event-origin.ts";
import type { EventOptions, FoundationEvent } from "./event-types.ts";
import { plainCopy } from "./plain-copy.ts";

/** What is known of the caller of a function. */
export interface FunctionEntryOptions extends EventOptions {
  /** Unit: name. Default: null. */
  readonly callerModule?: string | null;
  /** Unit: name. Default: null. */
  readonly callerFunction?: string | null;
  /** Unit: line. Default: null. */
  readonly callerLine?: number | null;
}

/** What led to a change of state. */
export interface StateChangeOptions extends EventOptions {
  /** Unit: any value. Default: null. */
  readonly triggerMessage?: unknown;
  /** Unit: id of a call. Default: null. */
  readonly triggerCallId?: number | null;
}

/** What a `function_entry` says of a call. */
export interface FunctionEntry {
  readonly callId: number;
  readonly module: string;
  readonly function: string;
  readonly arity: number;
  /** The arguments, or what stands for them where they take more than 10,000 bytes. */
  readonly args: unknown;
  readonly callerModule: string | null;
  readonly callerFunction: string | null;
  readonly callerLine: number | null;
}

/** What a `function_exit` says of the end of a call. */
export interface FunctionExit {
  readonly callId: number;
  readonly module: string;
  readonly function: string;
  readonly arity: number;
  /** The result, or what stands for it where it takes more than 10,000 bytes. */
  readonly result: unknown;
  readonly durationNs: number;
  readonly exitReason: string;
}

/** What a `state_change` says of a server. */
export interface StateChange {
  readonly serverPid: Pid | null;
  readonly callback: string;
  readonly oldState: unknown;
  readonly newState: unknown;
  readonly stateDiff: "no_change" | "changed";
  readonly triggerMessage: unknown;
  readonly triggerCallId: number | null;
}

/** A call whose end an event tells of. */
export interface FinishedCall {
  readonly module: string;
  readonly function: string;
  readonly arity: number;
  /** The `callId` of its `function_entry`. */
  readonly callId: number;
  readonly result: unknown;
  /** Unit: ns. */
  readonly durationNs: number;
  /** E.g. `normal`. */
  readonly exitReason: string;
}

const NO_OPTIONS: EventOptions = Object.freeze({});

/**
 * Makes an event and checks it. It is stored nowhere.
 *
 * @throws FoundationError `validation_failed` (2001), `type_mismatch` (2002), `data_too_large`
 *   (2003)
 */
export function createEvent<Data>(
  origin: EventOrigin,
  eventType: string,
  data: Data,
  options: EventOptions = NO_OPTIONS,
): FoundationEvent<Data> {
  const { correlationId = randomUUID() } = options;
  const event = build(origin, eventType, correlationId, data, options);
  writeData(event);
  return event;
}

/** An event with these fields and defaults for all others: the type `default`, no data. */
export function eventWith(
  origin: EventOrigin,
  fields: Partial<FoundationEvent> = {},
): FoundationEvent {
  const { eventType = "default", correlationId = null, data = null } = fields;
  return build(origin, eventType, correlationId, data, fields);
}

/** An event that says nothing: all fields are null. It is not valid. */
export function emptyEvent(): Readonly<Record<keyof FoundationEvent, null>> {
  return {
    eventType: null,
    eventId: null,
    timestamp: null,
    wallTime: null,
    hlc: null,
    node: null,
    pid: null,
    correlationId: null,
    parentId: null,
    data: null,
  };
}

// What is null stays null: whether that may be is for the validator to say.
function build<Data>(
  origin: EventOrigin,
  eventType: string,
  correlationId: string | null,
  data: Data,
  given: EventOptions,
): FoundationEvent<Data> {
  const now = origin.wallTime();
  const { eventId, timestamp, wallTime, hlc, node, pid, parentId } = given;
  return {
    eventType,
    eventId: eventId === undefined ? origin.ids.next(now) : eventId,
    timestamp: timestamp === undefined ? origin.timestamp() : timestamp,
    wallTime: wallTime === undefined ? now : wallTime,
    hlc: hlc === undefined ? origin.tick(now) : hlc,
    node: node === undefined ? origin.node : node,
    pid: pid === undefined ? origin.pid : pid,
    correlationId,
    parentId: parentId === undefined ? null : parentId,
    data,
  };
}

/** Makes a `function_entry`; its `callId` is new. */
export function createFunctionEntry(
  origin: EventOrigin,
  module: string,
  functionName: string,
  arity: number,
  args: readonly unknown[],
  options: FunctionEntryOptions = {},
): FoundationEvent<FunctionEntry> {
  const { callerModule = null, callerFunction = null, callerLine = null, ...rest } = options;
  const data = {
    callId: generateId(),
    module,
    function: functionName,
    arity,
    args: shown(args),
    callerModule,
    callerFunction,
    callerLine,
  };
  return createEvent(origin, "function_entry", data, rest);
}

/** Makes a `function_exit` of a call that is over. */
export function createFunctionExit(
  origin: EventOrigin,
  { module, function: functionName, arity, callId, result, durationNs, exitReason }: FinishedCall,
  options?: EventOptions,
): FoundationEvent<FunctionExit> {
  const data = {
    callId,
    module,
    function: functionName,
    arity,
    result: shown(result),
    durationNs,
    exitReason,
  };
  return createEvent(origin, "function_exit", data, options);
}

/** Makes a `state_change`; states that are deeply equal are no change. */
export function createStateChange(
  origin: EventOrigin,
  serverPid: Pid | null,
  callback: string,
  oldState: unknown,
  newState: unknown,
  options: StateChangeOptions = {},
): FoundationEvent<StateChange> {
  const { triggerMessage = null, triggerCallId = null, ...rest } = options;
  const data: StateChange = {
    serverPid,
    callback,
    oldState: shown(oldState),
    newState: shown(newState),
    stateDiff: isDeepStrictEqual(oldState, newState) ? "no_change" : "changed",
    triggerMessage: shown(triggerMessage),
    triggerCallId,
  };
  return createEvent(origin, "state_change", data, rest);
}

// What programs hand around may be large, or nothing that bytes can say.
function shown(value: unknown): unknown {
  const small = truncateIfLarge(value);
  try {
    dataBytes(small);
    return small;
  } catch {
    return plainCopy(small);
  }
}

/** The events of a correlation id, the earliest first. */
export function extractCorrelationChain(
  events: readonly FoundationEvent[],
  correlationId: string,
): FoundationEvent[] {
  return byTime(events.filter((event) => event.correlationId === correlationId));
}

/** Events by correlation id, each group the earliest first; those without an id are left out. */
export function groupByCorrelation(
  events: readonly FoundationEvent[],
): Map<string, FoundationEvent[]> {
  const groups = new Map<string, FoundationEvent[]>();
  for (const event of byTime(events)) {
    if (event.correlationId === null) continue;
    const group = groups.get(event.correlationId);
    if (group === undefined) groups.set(event.correlationId, [event]);
    else group.push(event);
  }
  return groups;
}

/** The events of a span of time, both ends inclusive. Unit: ms since 1970, as `timestamp`. */
export function filterByTimeRange(
  events: readonly FoundationEvent[],
  from: number,
  to: number,
): FoundationEvent[] {
  return events.filter(({ timestamp }) => timestamp >= from && timestamp <= to);
}

/** The same event with other data. */
export function transformEventData<Data, Other>(
  event: FoundationEvent<Data>,
  transform: (data: Data) => Other,
): FoundationEvent<Other> {
  if (typeof transform !== "function") {
    throw new FoundationError("invalid_argument", "the transformation has to be a function");
  }
  return { ...event, data: transform(event.data) };
}

function byTime(events: readonly FoundationEvent[]): FoundationEvent[] {
  return [...events].sort((a, b) => a.timestamp - b.timestamp || a.eventId - b.eventId);
}
