import { isErrorCode } from "../base/error-codes.ts";
import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import type { ChildOptions } from "./child-spec.ts";
import { Notice } from "./signals.ts";
import type { ChildCounts, ChildInfo } from "./supervisor-types.ts";

/** What a supervisor does when it is asked. */
export interface Supervising {
  startChild(options: ChildOptions): Promise<Pid>;
  terminateChild(id: string | Pid): Promise<void>;
  restartChild(id: string): Promise<Pid>;
  deleteChild(id: string): void;
  whichChildren(): ChildInfo[];
  countChildren(): ChildCounts;
}

/** A call to a supervisor. */
export interface SupervisorCall {
  readonly supervisor: keyof Supervising;
  readonly argument?: unknown;
}

/** The back-off of a child is over. */
export class RestartDue extends Notice {}

/** What a supervisor answers who is asked for something that only a child at rest bears. */
export function restartingError(id: string): FoundationError {
  const text = `child '${id}' will be restarted when its back-off is over; terminate it first`;
  return new FoundationError("child_restarting", text);
}

/** Marks an error that belongs to the caller, not to the supervisor. */
export interface Refused {
  readonly refused: unknown;
  /** Of an error that has one: between isolates errors lose it. */
  readonly code: string | undefined;
}

/** The error that belongs to the caller, as it was before it came from another isolate. */
export function refusal({ refused, code }: Refused): unknown {
  if (refused instanceof FoundationError || !isErrorCode(code)) return refused;
  const text = refused instanceof Error ? refused.message : code;
  return new FoundationError(code, text, { cause: refused });
}

/** Answers a call; what goes wrong is told to the caller and does not end the supervisor. */
export async function answerSupervisorCall(
  supervising: Supervising,
  message: unknown,
): Promise<{ readonly value: unknown } | Refused> {
  try {
    return { value: await run(supervising, message as Partial<SupervisorCall> | null) };
  } catch (refused) {
    return { refused, code: refused instanceof FoundationError ? refused.code : undefined };
  }
}

async function run(
  supervising: Supervising,
  call: Partial<SupervisorCall> | null,
): Promise<unknown> {
  const argument = call?.argument;
  switch (call?.supervisor) {
    case "startChild":
      return supervising.startChild(argument as ChildOptions);
    case "terminateChild":
      return supervising.terminateChild(argument as string | Pid);
    case "restartChild":
      return supervising.restartChild(argument as string);
    case "deleteChild":
      return supervising.deleteChild(argument as string);
    case "whichChildren":
      return supervising.whichChildren();
    case "countChildren":
      return supervising.countChildren();
    default:
      throw new FoundationError("invalid_options", "a supervisor takes calls of `supervisors`");
  }
}
