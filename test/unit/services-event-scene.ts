import { Pid } from "../../ts/base/pid.ts";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";

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
