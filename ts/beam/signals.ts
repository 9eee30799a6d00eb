import { Pid } from "../base/pid.ts";

/** Names one monitor of this isolate. */
export type MonitorRef = number & { readonly __monitor: true };

/**
 * Why a process ended: any value. `normal`, `shutdown` and an object of {@link Shutdown} are no
 * failures; `killed`, `noproc` and `noconnection` come from the runtime; what a handler threw is
 * the reason itself.
 */
export type ExitReason = unknown;

/** A wanted end with something to say, as OTP's `{shutdown, Term}`. */
export interface Shutdown {
  readonly kind: "shutdown";
  readonly detail: unknown;
}

/** A monitored process ended. Arrives exactly once for each monitor. */
export interface Down {
  readonly kind: "DOWN";
  readonly ref: MonitorRef;
  /** The process that was monitored. */
  readonly pid: Pid;
  /** Its exit reason, `noproc` where it was gone before, `noconnection` where its node is. */
  readonly reason: ExitReason;
}

/** A linked process ended, told to one that traps exits. */
export interface Exit {
  readonly kind: "EXIT";
  readonly from: Pid;
  readonly reason: ExitReason;
}

/**
 * What a part of the runtime tells the process that it runs in, e.g. that a timer is over. As a
 * signal it is taken whatever the limit of the mailbox, and `receive` leaves it where it is.
 */
export abstract class Notice {}

/** Asks a process to end once it has handled what came before. */
export class StopRequest extends Notice {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    super();
    this.reason = reason;
  }
}

/** Whether it is taken whatever the limit of a mailbox: whoever waits for it would for good. */
export function isUndroppable(message: unknown): boolean {
  return message instanceof Notice || isExit(message) || isDown(message);
}

/** Whether a message says that a monitored process is gone. */
export function isDown(message: unknown): message is Down {
  return isSignal(message, "DOWN") && Reflect.get(message, "pid") instanceof Pid;
}

/** Whether a message says that a linked process is gone. */
export function isExit(message: unknown): message is Exit {
  return isSignal(message, "EXIT") && Reflect.get(message, "from") instanceof Pid;
}

function isSignal(message: unknown, kind: string): message is object {
  return typeof message === "object" && message !== null && Reflect.get(message, "kind") === kind;
}

/** Whether an end with that reason is no failure. */
export function isWantedEnd(reason: ExitReason): boolean {
  return reason === "normal" || reason === "shutdown" || isSignal(reason, "shutdown");
}

/** A reason in a line, for logs and errors. */
export function describeReason(reason: ExitReason): string {
  if (typeof reason === "string") return reason;
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`;
  if (isSignal(reason, "shutdown")) return "shutdown";
  try {
    return JSON.stringify(reason)?.slice(0, 200) ?? String(reason);
  } catch {
    return Object.prototype.toString.call(reason);
  }
}
