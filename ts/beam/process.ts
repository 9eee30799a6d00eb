import { FoundationError } from "../base/errors.ts";
import { checkDelay } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import { isThenable } from "../base/thenable.ts";
import { type Debtor, Envelope, endedError, exitedError, NO_REPLY, SENT } from "./envelope.ts";
import { Mailbox, type MailboxPolicy } from "./mailbox.ts";
import type {
  Destination,
  ProcessCallOptions,
  ProcessInfo,
  ProcessSendOptions,
  ReceiveOptions,
  Self,
  Spawnable,
  SpawnOptions,
} from "./process-types.ts";
import { Receiving } from "./receiving.ts";
import type { Runnable } from "./run-queue.ts";
import type { ProcessRuntime } from "./runtime.ts";
import {
  type Exit,
  type ExitReason,
  isDown,
  isUndroppable,
  type MonitorRef,
  Notice,
  StopRequest,
} from "./signals.ts";
import { Ties } from "./ties.ts";
import { type TimerRef, Timers } from "./timers.ts";

/** What all processes of one kind share. */
export interface ProcessLimits {
  readonly messagesMax: number;
  readonly policy: MailboxPolicy;
  readonly label: string;
}

/** What a process is doing. */
const STATE = Object.freeze({ starting: 0, waiting: 1, busy: 2, stopping: 3, dead: 4 });

/** Thrown by `exit` to leave the handler. */
class Exiting {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

/** A mailbox and a handler in an isolate. */
export class LightProcess implements Self, Runnable, Debtor {
  readonly pid: Pid;
  trapExit: boolean;
  /** For the rooms that build processes on processes. */
  readonly runtime: ProcessRuntime;
  readonly #body: Spawnable<unknown>;
  readonly #limits: ProcessLimits;
  #mailbox: Mailbox | undefined;
  #ties: Ties | undefined;
  #receiving: Receiving | undefined;
  #timers: Timers | undefined;
  #owed: Set<Envelope> | undefined;
  #state: number;
  #isQueued = false;
  #isRefusing = false;
  #dropped = 0;

  constructor(
    runtime: ProcessRuntime,
    pid: Pid,
    body: Spawnable<unknown>,
    limits: ProcessLimits,
    trapExit: boolean,
  ) {
    this.runtime = runtime;
    this.pid = pid;
    this.#body = body;
    this.#limits = limits;
    this.trapExit = trapExit;
    const hasInit = typeof body === "object" && body.init !== undefined;
    this.#state = hasInit ? STATE.starting : STATE.waiting;
    if (hasInit) this.#queue();
  }

  // What others do to it.

  /** Whether it has ended. */
  get isDead(): boolean {
    return this.#state === STATE.dead;
  }

  /** What it is, in a word. */
  get label(): string {
    return this.#limits.label;
  }

  /** Links and monitors, made when the first one is. */
  get ties(): Ties {
    this.#ties ??= new Ties();
    return this.#ties;
  }

  /** Links and monitors, where there are any. */
  get knownTies(): Ties | undefined {
    return this.#ties;
  }

  /** Whether a message would be taken without losing one. */
  get hasRoom(): boolean {
    return !this.#isRefusing && this.#hasSpace;
  }

  get #hasSpace(): boolean {
    return this.#mailbox === undefined || this.#mailbox.size < this.#limits.messagesMax;
  }

  /**
   * From now on nothing is taken but calls, which its handler can answer with why: it is as if the
   * mailbox were full until the process is gone.
   */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Whether senders are held back until their messages were handled. */
  get isCreditControlled(): boolean {
    return this.#limits.policy === "credit";
  }

  /** Whether a full mailbox holds senders back instead of losing messages. */
  get isBlocking(): boolean {
    return this.#limits.policy === "block" || this.#limits.policy === "credit";
  }

  /**
   * Takes a message; false: it is not taken, by the mailbox's policy. One that a `receive` waits
   * for needs no room.
   */
  accept(item: unknown): boolean {
    if (this.#isRefusing && !isCall(item)) return false;
    if (this.offer(item)) return true;
    if (!this.#hasSpace && !this.#makeRoom(item)) return false;
    this.#push(item);
    return true;
  }

  /** Takes a message if a `receive` waits for it. */
  offer(item: unknown): boolean {
    if (this.#receiving === undefined || !isPlain(item)) return false;
    if (!this.#receiving.offer(messageOf(item))) return false;
    this.#trace(item);
    if (item instanceof Envelope) item.settle();
    return true;
  }

  /** Takes a message of the runtime, which the mailbox's limit does not apply to. */
  signal(message: unknown): void {
    if (!this.offer(message)) this.#push(message);
  }

  #push(item: unknown): void {
    if (this.#state === STATE.dead) return;
    this.#mailbox ??= new Mailbox();
    this.#mailbox.push(item);
    if (this.#state === STATE.waiting && !this.#isQueued) this.#queue();
  }

  /** Something was taken out: whoever waits for room is told where it is the first there is. */
  #tellOfRoom(mailbox: Mailbox): void {
    if (mailbox.size === this.#limits.messagesMax - 1) this.runtime.roomIn(this);
  }

  #makeRoom(item: unknown): boolean {
    switch (this.#limits.policy) {
      case "dropOldest": {
        // Signals are told exactly once, whatever the policy loses.
        const oldest = this.#mailbox?.take((other) => !isUndroppable(other));
        this.#drop(oldest?.item);
        return oldest !== undefined;
      }
      case "dropNewest":
        // A call is not lost: it waits for room.
        if (!isCall(item)) this.#drop(undefined);
        return false;
      default:
        return false;
    }
  }

  #drop(item: unknown): void {
    this.#dropped++;
    this.runtime.counts.messagesDropped++;
    if (!(item instanceof Envelope)) return;
    const text = `the mailbox of ${this.pid} was full and its policy gave the call up`;
    item.fail(new FoundationError("mailbox_full", text));
    item.lose();
  }

  #queue(): void {
    this.#isQueued = true;
    this.runtime.queue.push(this);
  }

  // Running.

  run(messagesMax: number): boolean {
    if (this.#state === STATE.starting) {
      this.#state = STATE.waiting;
      this.#invoke(undefined, () => (this.#body as { init(self: Self): unknown }).init(this));
    }
    for (let handled = 0; this.#state === STATE.waiting; handled++) {
      const mailbox = this.#mailbox;
      if (mailbox === undefined || mailbox.size === 0) break;
      if (handled === messagesMax) return true;
      const item = mailbox.shift();
      this.#tellOfRoom(mailbox);
      if (this.runtime.tracer !== undefined) this.#trace(item);
      if (item instanceof Envelope) this.#invoke(item, () => this.#handle(item.message, item));
      else if (item instanceof StopRequest) this.stop(item.reason);
      else this.#handlePlain(item);
    }
    this.#isQueued = false;
    return false;
  }

  /** Tells who traces of a message; what the runtime tells a process is none. */
  #trace(item: unknown): void {
    const { tracer } = this.runtime;
    if (tracer === undefined || item instanceof Notice || item instanceof StopRequest) return;
    tracer.received(this, item instanceof Envelope ? item.kind : SENT.kind, messageOf(item));
  }

  #handle(message: unknown, delivery: Envelope | typeof SENT): unknown {
    const body = this.#body;
    return typeof body === "function"
      ? body(message, this, delivery)
      : body.handle(message, this, delivery);
  }

  /** The short way of nearly all messages: nobody waits for what the handler returns. */
  #handlePlain(message: unknown): void {
    const runtime = this.runtime;
    const outer = runtime.current;
    runtime.current = this;
    let result: unknown;
    try {
      result = this.#handle(message, SENT);
    } catch (thrown) {
      runtime.current = outer;
      return this.#fail(thrown, undefined);
    }
    runtime.current = outer;
    if (isThenable(result)) this.#await(result, undefined);
  }

  #invoke(envelope: Envelope | undefined, action: () => unknown): void {
    const runtime = this.runtime;
    const outer = runtime.current;
    runtime.current = this;
    let result: unknown;
    try {
      result = action();
    } catch (thrown) {
      runtime.current = outer;
      return this.#fail(thrown, envelope);
    }
    runtime.current = outer;
    if (isThenable(result)) this.#await(result, envelope);
    else this.#succeed(result, envelope);
  }

  #await(answer: PromiseLike<unknown>, envelope: Envelope | undefined): void {
    // What is no promise of the language may throw where it is asked.
    const result = answer instanceof Promise ? answer : Promise.resolve(answer);
    if (this.#state === STATE.dead) {
      result.then(undefined, () => {}); // what a dead process still does interests nobody
      return;
    }
    this.#state = STATE.busy;
    if (envelope !== undefined) this.owes(envelope);
    result.then(
      (value) => this.#resume(value, envelope),
      (thrown: unknown) => this.#fail(thrown, envelope),
    );
  }

  #resume(value: unknown, envelope: Envelope | undefined): void {
    if (envelope !== undefined) {
      this.hasPaid(envelope);
      this.#succeed(value, envelope);
    }
    if (this.#state !== STATE.busy) return;
    this.#state = STATE.waiting;
    if (!this.#isQueued && this.#mailbox !== undefined && this.#mailbox.size > 0) this.#queue();
  }

  #succeed(value: unknown, envelope: Envelope | undefined): void {
    if (envelope === undefined) return;
    envelope.settle();
    if (this.#state === STATE.dead) envelope.fail(exitedError(this.pid, "killed"));
    else if (value !== NO_REPLY) envelope.reply(value);
    else envelope.defer(this);
  }

  #fail(thrown: unknown, envelope: Envelope | undefined): void {
    envelope?.settle();
    if (this.#state === STATE.dead) return envelope?.fail(exitedError(this.pid, "killed"));
    const reason = thrown instanceof Exiting ? thrown.reason : thrown;
    // Whoever called is told when it has ended, as all others are.
    if (envelope !== undefined) this.owes(envelope);
    if (!(thrown instanceof Exiting)) this.runtime.crashed(this, thrown);
    this.stop(reason);
  }

  owes(envelope: Envelope): void {
    this.#owed ??= new Set();
    this.#owed.add(envelope);
  }

  hasPaid(envelope: Envelope): void {
    this.#owed?.delete(envelope);
  }

  // Ending.

  /** Ends the process from within: `terminate` runs first. */
  stop(reason: ExitReason): void {
    if (this.#state >= STATE.stopping) return;
    const body = this.#body;
    if (typeof body === "function" || body.terminate === undefined) return this.end(reason);
    this.#state = STATE.stopping;
    this.#receiving?.fail(exitedError(this.pid, reason));
    try {
      const result = body.terminate(reason, this);
      if (!isThenable(result)) return this.end(reason);
      result.then(
        () => this.end(reason),
        (thrown: unknown) => this.end(thrown),
      );
    } catch (thrown) {
      this.end(thrown);
    }
  }

  /** Ends the process at once. Whoever waits for it is told. */
  end(reason: ExitReason): void {
    if (this.#state === STATE.dead) return;
    this.#state = STATE.dead;
    const mailbox = this.#mailbox;
    this.#mailbox = undefined;
    const receiving = this.#receiving;
    this.#receiving = undefined;
    receiving?.fail(exitedError(this.pid, reason));
    for (const item of mailbox?.waiting() ?? []) {
      if (!(item instanceof Envelope)) continue;
      item.lose();
      item.fail(exitedError(this.pid, reason));
    }
    for (const envelope of [...(this.#owed ?? [])]) {
      envelope.settle();
      envelope.fail(exitedError(this.pid, reason));
    }
    this.#owed = undefined;
    this.#timers?.cancelAll();
    this.runtime.ended(this, reason);
    this.#ties = undefined;
  }

  /** An exit signal: from a linked process (`isLink`), or from a call of `exit`. */
  onExit(from: Pid, reason: ExitReason, isLink: boolean): void {
    if (this.#state === STATE.dead) return;
    if (reason === "kill" && !isLink) return this.end("killed");
    if (this.trapExit) {
      const message: Exit = { kind: "EXIT", from, reason };
      return this.runtime.backlogs.signal(this, message);
    }
    // `normal` ends nobody but the one who says it of itself.
    if (reason === "normal" && !from.equals(this.pid)) return;
    this.end(reason);
  }

  /** Messages that wait in its mailbox. */
  get mailboxSize(): number {
    return this.#mailbox?.size ?? 0;
  }

  /** What it is doing. */
  info(): ProcessInfo {
    const waiting = this.#mailbox?.waiting() ?? [];
    const bytes = waiting.reduce<number>((sum, item) => {
      const value = messageOf(item);
      return sum + (value instanceof Uint8Array ? value.length : 0);
    }, 0);
    const { messagesMax } = this.#limits;
    return {
      pid: this.pid,
      kind: this.runtime.main === this ? "heavy" : "light",
      label: this.label,
      names: [...(this.#ties?.names ?? [])],
      status: this.#status(),
      trapExit: this.trapExit,
      mailbox: {
        messages: waiting.length,
        bytes,
        messagesMax: messagesMax === Number.POSITIVE_INFINITY ? "unbounded" : messagesMax,
        held: this.runtime.backlogs.sizeOf(this),
        dropped: this.#dropped,
      },
      links: [...(this.#ties?.links.values() ?? [])],
      monitors: [...(this.#ties?.monitors.values() ?? [])],
      watchers: this.#ties?.watchers.size ?? 0,
      callsOpen: this.#owed?.size ?? 0,
    };
  }

  #status(): ProcessInfo["status"] {
    if (this.#state === STATE.busy) return "busy";
    if (this.#state === STATE.stopping) return "stopping";
    return this.#isQueued ? "ready" : "waiting";
  }

  // What its own code calls: without effect where it goes on although the process has ended.

  /** @throws FoundationError `process_exited` where it has ended */
  mustLive(): void {
    if (this.#state === STATE.dead) throw endedError(this.pid);
  }

  /** A message of a process that has ended; nobody awaits room for another try. */
  #lost(): true {
    this.runtime.counts.fromEnded++;
    return true;
  }

  send(to: Destination, message: unknown, options?: ProcessSendOptions): boolean {
    if (this.#state === STATE.dead) return this.#lost();
    return this.runtime.send(to, message, options);
  }

  cast(to: Destination, message: unknown, options?: ProcessSendOptions): boolean {
    if (this.#state === STATE.dead) return this.#lost();
    return this.runtime.cast(to, message, options);
  }

  async call(to: Destination, message: unknown, options?: ProcessCallOptions): Promise<unknown> {
    this.mustLive();
    return this.runtime.call(to, message, options);
  }

  async drained(to: Destination, options?: ProcessSendOptions): Promise<void> {
    this.mustLive();
    return this.runtime.drained(to, options);
  }

  spawnLink(body: Spawnable, options?: SpawnOptions): Pid {
    this.mustLive();
    const process = this.runtime.spawn(body, options, this);
    this.link(process.pid);
    return process.pid;
  }

  spawnMonitor(body: Spawnable, options?: SpawnOptions): { pid: Pid; ref: MonitorRef } {
    this.mustLive();
    const { pid } = this.runtime.spawn(body, options, this);
    return { pid, ref: this.monitor(pid) };
  }

  link(pid: Pid): void {
    this.runtime.link(this, pid);
  }

  unlink(pid: Pid): void {
    this.runtime.unlink(this, pid);
  }

  grant(messages: number): void {
    this.runtime.grant(this, messages);
  }

  monitor(pid: Pid): MonitorRef {
    return this.runtime.monitor(this, pid);
  }

  demonitor(ref: MonitorRef, options: { readonly flush?: boolean } = {}): void {
    this.runtime.demonitor(this, ref);
    if (options.flush !== true) return;
    this.#takeOut((item) => isDown(item) && item.ref === ref);
  }

  exit(reason: ExitReason): never {
    throw new Exiting(reason);
  }

  async receive<Message = unknown>(
    match?: (message: unknown) => boolean,
    options: ReceiveOptions = {},
  ): Promise<Message> {
    this.mustLive();
    if (this.#receiving !== undefined) {
      throw new FoundationError("receive_under_way", `${this.pid} waits for a message already`);
    }
    const wanted = this.#takeOut((item) => {
      return isPlain(item) && (match === undefined || match(messageOf(item)));
    });
    if (wanted !== undefined) {
      this.#trace(wanted.item);
      if (wanted.item instanceof Envelope) wanted.item.settle();
      return messageOf(wanted.item) as Message;
    }
    const receiving = new Receiving(match, options, () => {
      if (this.#receiving === receiving) this.#receiving = undefined;
    });
    this.#receiving = receiving;
    return receiving.promise as Promise<Message>;
  }

  /** Takes the oldest item that `isWanted` from among the others. */
  #takeOut(isWanted: (item: unknown) => boolean): { readonly item: unknown } | undefined {
    const mailbox = this.#mailbox;
    const taken = mailbox?.take(isWanted);
    if (mailbox !== undefined && taken !== undefined) this.#tellOfRoom(mailbox);
    return taken ?? this.runtime.backlogs.take(this, isWanted);
  }

  sendAfter(delayMs: number, message: unknown): TimerRef {
    checkDelay("delayMs", delayMs);
    // Nobody is there to be told that there is no room: the message waits for it.
    return this.after(delayMs, () => void this.runtime.backlogs.deliver(this, "send", message));
  }

  /** Tells the process something later, whatever the limit of its mailbox. */
  noticeAfter(delayMs: number, notice: Notice): TimerRef {
    return this.after(delayMs, () => this.signal(notice));
  }

  /** Does something later, unless the process has ended by then. */
  after(delayMs: number, action: () => void): TimerRef {
    this.#timers ??= new Timers();
    const timer = this.#timers.start(delayMs, action);
    if (this.#state === STATE.dead) timer.cancel();
    return timer;
  }
}

function isCall(item: unknown): boolean {
  return item instanceof Envelope && item.from !== undefined;
}

/** Calls stay in the mailbox for the handler: what `receive` takes has nobody to be answered to. */
function isPlain(item: unknown): boolean {
  if (item instanceof Envelope) return item.kind !== "call";
  return !(item instanceof Notice);
}

function messageOf(item: unknown): unknown {
  return item instanceof Envelope ? item.message : item;
}
