import { ManualClock } from "../../ts/base/manual-clock.ts";
import { Pid } from "../../ts/base/pid.ts";
import { EventCore, type EventParts } from "../../ts/services/events/event-core.ts";
import { EventOrigin } from "../../ts/services/events/event-origin.ts";
import {
  type EventStoreLimits,
  eventStoreLimits,
} from "../../ts/services/events/event-service-options.ts";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";
import { Events } from "../../ts/services/events/events.ts";
import { ServiceSlot } from "../../ts/services/service-slot.ts";
import type { Measurements, Metadata } from "../../ts/services/sinks.ts";

/** A process that nobody has. */
export const PID = new Pid({ node: "here", life: "life", slot: 1, generation: 1 }, 7);

/** An event with all of its fields, and what a test wants otherwise. */
export function eventOf(fields: Partial<FoundationEvent> = {}): FoundationEvent {
  return {
    eventType: "test",
    eventId: 1,
    timestamp: 1_700_000_000_000.25,
    wallTime: 1_700_000_000_000,
    hlc: { ms: 1_700_000_000_000, counter: 3 },
    node: "here",
    pid: PID,
    correlationId: "operation",
    parentId: null,
    data: { a: 1 },
    ...fields,
  };
}

/** What was reported to the telemetry. */
export interface Report {
  readonly name: string;
  readonly measurements: Measurements;
  readonly metadata: Metadata;
}

/** An event service without a node: its clock, its reports, and its process as a switch. */
export interface EventScene {
  readonly events: Events;
  readonly clock: ManualClock;
  readonly reports: Report[];
  readonly core: () => EventCore;
  /** The process of the service is gone, and comes back. */
  readonly kill: () => void;
  readonly restart: () => void;
}

/** Sets one up; `parts`: what the core works with beside that. */
export function eventScene(
  parts: Partial<EventParts> = {},
  options: Partial<EventStoreLimits> = {},
): EventScene {
  const clock = new ManualClock();
  const reports: Report[] = [];
  const telemetry = {
    execute: (name: readonly string[], measurements: Measurements, metadata: Metadata): void => {
      reports.push({ name: name.join("."), measurements, metadata });
    },
  };
  const limits = eventStoreLimits(options);
  const origin = new EventOrigin({ home: { node: "here", slot: 0 }, clock });
  const slot = new ServiceSlot<EventCore>("events", 3000);
  const events = new Events({ slot, origin });
  const restart = (): void => {
    slot.install(new EventCore({ origin, limits, clock, telemetry, ...parts }, slot.last));
  };
  restart();
  return {
    events,
    clock,
    reports,
    core: () => slot.core,
    kill: () => slot.remove(slot.core),
    restart,
  };
}
