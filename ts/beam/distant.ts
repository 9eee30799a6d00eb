import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import type { PendingCall } from "./pending-call.ts";
import type { LightProcess } from "./process.ts";
import type { NamedProcess, ProcessSendOptions } from "./process-types.ts";
import type { ExitReason, MonitorRef } from "./signals.ts";
import type { Watcher } from "./ties.ts";

/** Whom a message that leaves the isolate is for. */
export type DistantDestination = Pid | NamedProcess;

/** What an isolate does for its processes with those of other isolates and nodes. */
export interface Distant {
  /** Sends a message; false: not accepted. A receiver that cannot be reached loses it. */
  send(
    to: DistantDestination,
    kind: "send" | "cast",
    message: unknown,
    options: ProcessSendOptions | undefined,
  ): boolean;
  /** Sends a call, as soon as there is room; `call` gets the answer, or why there is none. */
  call(
    to: DistantDestination,
    message: unknown,
    call: PendingCall,
    options: ProcessSendOptions | undefined,
  ): void;
  /** Resolves when a receiver that did not accept may be sent to again. */
  drained(to: DistantDestination, options: ProcessSendOptions | undefined): Promise<void>;
  /** Sends an exit signal. `isLink`: because the two are linked. */
  exit(from: Pid, to: Pid, reason: ExitReason, isLink: boolean): void;
  /** Asks a process to end once it has handled what came before. */
  stop(to: Pid, reason: ExitReason): void;
  /** Ties a process to one elsewhere. */
  link(process: LightProcess, to: Pid): void;
  /** Undoes it at the other end. */
  unlink(process: LightProcess, to: Pid): void;
  /** Has a process elsewhere watched for `watcher`, which hears of its end exactly once. */
  monitor(ref: MonitorRef, watcher: Watcher, target: Pid): void;
  /** Ends it. */
  demonitor(ref: MonitorRef, target: Pid): void;
  /** Lets those who wait for a process's word send to it. */
  grant(process: LightProcess, messages: number): void;
  /** Makes a name of this isolate known to the others. */
  register(name: string): () => void;
}

/** For an isolate that is part of no node. */
export const NOWHERE: Distant = Object.freeze({
  send: () => true,
  call: (to: DistantDestination, _message: unknown, call: PendingCall) => {
    call.fail(new FoundationError("noconnection", `${describe(to)} cannot be reached`));
  },
  drained: async () => {},
  exit: () => {},
  stop: () => {},
  link: (process: LightProcess, to: Pid) => process.onExit(to, "noconnection", true),
  unlink: () => {},
  monitor: (_ref: MonitorRef, watcher: Watcher, target: Pid) => {
    watcher.down(target, "noconnection");
  },
  demonitor: () => {},
  grant: () => {},
  register: () => () => {},
});

/** A destination in a line. */
export function describe(to: DistantDestination): string {
  return "serial" in to ? to.toString() : `'${to.name}' at '${to.node}'`;
}
