import { HOOKS } from "../base/hooks.ts";
import type { Pid } from "../base/pid.ts";
import type { Destination } from "./process-types.ts";

/**
 * What is published of a call: at its start, and the same object at its end, with what came of it.
 */
export interface HookedCall {
  /** The process whose handler made it; undefined for code that is none. */
  readonly from: Pid | undefined;
  readonly to: Destination;
  /** From start to end. Unit: ms, with fractions. */
  durationMs?: number;
  /** What it failed with. */
  error?: unknown;
}

/** Whether somebody wants to be told of calls. */
export function areCallsHooked(): boolean {
  return HOOKS.call.hasSubscribers || HOOKS.reply.hasSubscribers;
}

/** Publishes the start of a call, and its end once it is there. */
export function publishCall(
  from: Pid | undefined,
  to: Destination,
  answer: Promise<unknown>,
): void {
  const call: HookedCall = { from, to };
  const startMs = performance.now();
  const end = (): void => {
    call.durationMs = performance.now() - startMs;
    HOOKS.reply.publish(call);
  };
  HOOKS.call.publish(call);
  answer.then(end, (thrown: unknown) => {
    call.error = thrown;
    end();
  });
}
