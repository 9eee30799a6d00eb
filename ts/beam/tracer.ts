import type { Pid } from "../base/pid.ts";
import type { Delivery } from "./envelope.ts";
import type { ExitReason } from "./signals.ts";

/** A process as a tracer sees it. */
export interface TracedProcess {
  readonly pid: Pid;
  readonly label: string;
}

/**
 * Hears what the processes of an isolate do, within what it hears of. It must not throw, and ends
 * nothing and sends nothing: whoever does that has it traced, too.
 */
export interface ProcessTracer {
  /** A process was started; `parent` is the process that did it, if it was one of this isolate. */
  spawned(process: TracedProcess, parent: Pid | undefined): void;
  /** A process has ended. */
  ended(process: TracedProcess, reason: ExitReason): void;
  /** A process is about to handle a message. */
  received(process: TracedProcess, kind: Delivery["kind"], message: unknown): void;
}
