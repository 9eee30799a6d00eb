import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import { describeReason, type ExitReason } from "./signals.ts";

/** Answer of a handler that replies later, through {@link From}. */
export const NO_REPLY: unique symbol = Symbol("foundation-runtime/no-reply");

/** Who waits for the answer to a call. A second answer, or one that comes too late, is dropped. */
export interface From {
  /** Answers the call. */
  reply(value: unknown): void;
  /** Ends the call with an error. */
  fail(error: unknown): void;
}

/** How a message came. */
export interface Delivery {
  readonly kind: "send" | "cast" | "call";
  /** Of a call: who waits. */
  readonly from: From | undefined;
}

/** How most messages come: they need no envelope. */
export const SENT: Delivery = Object.freeze({ kind: "send", from: undefined });

/** What becomes of a message, for who has to know. */
export interface Fate {
  /** It was handled, or will never be. */
  readonly settled?: () => void;
  /** No handler got it, nor will. `settled` follows. */
  readonly lost?: () => void;
}

/** The process that has taken a call and not answered yet. */
export interface Debtor {
  owes(envelope: Envelope): void;
  hasPaid(envelope: Envelope): void;
}

/** A message that somebody waits for, or that is told apart from those of `send`. */
export class Envelope implements Delivery, From {
  readonly kind: Delivery["kind"];
  readonly message: unknown;
  #fate: Fate | undefined;
  #caller: From | undefined;
  #debtor: Debtor | undefined;

  constructor(kind: Delivery["kind"], message: unknown, caller?: From, fate?: Fate) {
    this.kind = kind;
    this.message = message;
    this.#caller = caller;
    this.#fate = fate;
  }

  get from(): From | undefined {
    return this.#caller === undefined ? undefined : this;
  }

  /** The handler took it and answers later: `debtor` has to be told until it has. */
  defer(debtor: Debtor): void {
    if (this.#caller === undefined) return;
    this.#debtor = debtor;
    debtor.owes(this);
  }

  reply(value: unknown): void {
    this.#take()?.reply(value);
  }

  fail(error: unknown): void {
    this.#take()?.fail(error);
  }

  /** The message was handled. */
  settle(): void {
    const fate = this.#fate;
    this.#fate = undefined;
    fate?.settled?.();
  }

  /** The message will never be handled. */
  lose(): void {
    this.#fate?.lost?.();
    this.settle();
  }

  #take(): From | undefined {
    const caller = this.#caller;
    this.#caller = undefined;
    this.#debtor?.hasPaid(this);
    this.#debtor = undefined;
    return caller;
  }
}

/** What a caller gets when the process that it called ended before it answered. */
export function exitedError(pid: Pid, reason: ExitReason): FoundationError {
  const text = `${pid} exited before it answered: ${describeReason(reason)}`;
  const context = { pid: pid.toString(), reason };
  const cause = reason instanceof Error ? { cause: reason } : {};
  return new FoundationError("process_exited", text, { context, ...cause });
}

/** What somebody gets who acts as a process that has ended. */
export function endedError(pid: Pid): FoundationError {
  const text = `${pid} has ended: what its code still does has no effect on processes`;
  return new FoundationError("process_exited", text, { context: { pid: pid.toString() } });
}

/** What a caller gets who names a process that is not there. */
export function noProcessError(target: string, cause?: unknown): FoundationError {
  return new FoundationError("noproc", `there is no process ${target}`, { cause });
}
