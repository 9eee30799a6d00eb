import type { Pid } from "../base/pid.ts";
import type { Delivery } from "./envelope.ts";
import type { MailboxOptions } from "./mailbox.ts";
import type { ExitReason, MonitorRef } from "./signals.ts";
import type { TimerRef } from "./timers.ts";

/** A process that has a name: one of this node, or one of another. */
export interface NamedProcess {
  readonly node: string;
  readonly name: string;
}

/** Whom a message is for: a process, a name of this node, or a name of another. */
export type Destination = Pid | string | NamedProcess;

/** How a message to a process is sent. */
export interface ProcessSendOptions {
  /** Channel, for a process of another isolate or node. Default: `default`. */
  readonly channel?: string;
}

/** How a process is called. Defaults: {@link PROCESS_CALL_DEFAULTS}. */
export interface ProcessCallOptions extends ProcessSendOptions {
  /** Longest wait for the answer, time to be accepted included. `Infinity`: none. Unit: ms. */
  readonly timeoutMs?: number;
  /** Ends the call with `aborted`; a late answer is dropped. Default: none. */
  readonly signal?: AbortSignal;
}

/** How a process is called unless its options say otherwise. */
export const PROCESS_CALL_DEFAULTS = Object.freeze({
  timeoutMs: 5_000, // as gen_server's
});

/** What to wait for in a mailbox. */
export interface ReceiveOptions {
  /** Longest wait, 2^31 - 1 at most. `Infinity`: none. Unit: ms. Default: none. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`. Default: none. */
  readonly signal?: AbortSignal;
}

/** A registry of names that is not the node's own; OTP's `via`. */
export interface Via {
  /** Gives the process its name, before its first message; what it throws makes the start fail. */
  register(pid: Pid): void;
}

/** How a process is started. */
export interface SpawnOptions {
  /** Name to register it under. Default: none. */
  readonly name?: string;
  /** Registers it elsewhere, e.g. `processRegistry.via(namespace, name)`. Default: nowhere. */
  readonly via?: Via;
  /** How much its mailbox holds. Default: {@link MAILBOX_DEFAULTS}. */
  readonly mailbox?: MailboxOptions;
  /** Whether it gets the exits of linked processes as messages. Default: false. */
  readonly trapExit?: boolean;
  /** What it is, for `processInfo` and crash reports. Default: the handler's name. */
  readonly label?: string;
}

/**
 * A process as its own code sees it. Code that goes on although its process has ended (it was
 * killed in an `await`) acts on no process by it: messages are lost and counted, no tie is made and
 * no timer set; `call`, `drained`, `receive`, `spawnLink` and `spawnMonitor` fail with
 * `process_exited`.
 */
export interface Self {
  readonly pid: Pid;
  /** Whether exits of linked processes arrive as messages of kind `EXIT` instead of ending it. */
  trapExit: boolean;
  /** As `processes.send`. */
  send(to: Destination, message: unknown, options?: ProcessSendOptions): boolean;
  /** As `processes.cast`. */
  cast(to: Destination, message: unknown, options?: ProcessSendOptions): boolean;
  /** As `processes.call`. */
  call(to: Destination, message: unknown, options?: ProcessCallOptions): Promise<unknown>;
  /** As `processes.drained`. */
  drained(to: Destination, options?: ProcessSendOptions): Promise<void>;
  /** Starts a process that is linked to this one. */
  spawnLink(body: Spawnable, options?: SpawnOptions): Pid;
  /** Starts a process that this one monitors. */
  spawnMonitor(body: Spawnable, options?: SpawnOptions): { pid: Pid; ref: MonitorRef };
  /** Lets senders with `flowControl: "manual"` send that many messages more. */
  grant(messages: number): void;
  /** Ties both ends: the failure of one ends the other, or is told to it. */
  link(pid: Pid): void;
  /** Undoes a link. No `EXIT` of it arrives afterwards. */
  unlink(pid: Pid): void;
  /** One `DOWN` message will tell when the process has ended. */
  monitor(pid: Pid): MonitorRef;
  /** Ends a monitor. `flush`: a `DOWN` that waits in the mailbox is taken out too. */
  demonitor(ref: MonitorRef, options?: { readonly flush?: boolean }): void;
  /** Ends this process; does not return. */
  exit(reason: ExitReason): never;
  /**
   * Takes the oldest message that `match` accepts, or waits for it; what does not match stays in
   * the mailbox in its order. Looking through a mailbox costs time in proportion to what waits.
   *
   * @throws FoundationError `timeout`, `aborted`, `receive_under_way`, `process_exited`,
   *   `invalid_options`
   */
  receive<Message = unknown>(
    match?: (message: unknown) => boolean,
    options?: ReceiveOptions,
  ): Promise<Message>;
  /** Sends a message to this process later, as `processes.sendAfter`. */
  sendAfter(delayMs: number, message: unknown): TimerRef;
}

/** Handles the messages of a process, one at a time also across `await`. */
export type ProcessHandler<Message = never> = (
  message: Message,
  self: Self,
  delivery: Delivery,
) => unknown;

/** What a process does. */
export interface ProcessBody<Message = never> {
  /** Runs before the first message. */
  init?(self: Self): unknown;
  /** Handles a message. What it returns, or resolves to, answers a call. */
  handle(message: Message, self: Self, delivery: Delivery): unknown;
  /** Runs at the end, unless the process is killed or ended by a signal that it does not trap. */
  terminate?(reason: ExitReason, self: Self): unknown;
}

/** What a process can be made of. */
export type Spawnable<Message = never> = ProcessHandler<Message> | ProcessBody<Message>;

/** A process at one moment. */
export interface ProcessInfo {
  readonly pid: Pid;
  /** `light`: shares its isolate. `heavy`: has one of its own. */
  readonly kind: "light" | "heavy";
  readonly label: string;
  readonly names: readonly string[];
  /** `waiting` for a message, `ready` to run, `busy` in an `await`, `stopping` in `terminate`. */
  readonly status: "waiting" | "ready" | "busy" | "stopping";
  readonly trapExit: boolean;
  readonly mailbox: {
    readonly messages: number;
    /** Of the messages that are bytes; values share the isolate's heap and have no own size. */
    readonly bytes: number;
    readonly messagesMax: number | "unbounded";
    /** In front of it for want of room: messages of timers and of other isolates. */
    readonly held: number;
    readonly dropped: number;
  };
  readonly links: readonly Pid[];
  readonly monitors: readonly Pid[];
  readonly watchers: number;
  readonly callsOpen: number;
}
