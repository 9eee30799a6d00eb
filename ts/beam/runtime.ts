import { FoundationError } from "../base/errors.ts";
import { HOOKS } from "../base/hooks.ts";
import { checkCount, checkDelay, checkKeys } from "../base/option-checks.ts";
import { type Home, isSameHome, Pid } from "../base/pid.ts";
import { Backlogs } from "./backlogs.ts";
import { areCallsHooked, publishCall } from "./call-hooks.ts";
import { Deadlines } from "./deadlines.ts";
import { type Distant, type DistantDestination, NOWHERE } from "./distant.ts";
import { Envelope, noProcessError } from "./envelope.ts";
import type { HeavyHost } from "./heavy-host.ts";
import { MAILBOX_DEFAULTS, MAILBOX_POLICIES, type MailboxOptions } from "./mailbox.ts";
import { PendingCall } from "./pending-call.ts";
import { LightProcess, type ProcessLimits } from "./process.ts";
import {
  type Destination,
  PROCESS_CALL_DEFAULTS,
  type ProcessCallOptions,
  type ProcessSendOptions,
  type Spawnable,
  type SpawnOptions,
} from "./process-types.ts";
import { RunQueue } from "./run-queue.ts";
import { type Down, type ExitReason, type MonitorRef, StopRequest } from "./signals.ts";
import {
  checkCalling,
  checkNamed,
  checkPid,
  checkSending,
  checkSpawn,
  NO_OPTIONS,
} from "./spawn-checks.ts";
import { Starting } from "./starting.ts";
import { tieKey, type Watcher } from "./ties.ts";
import { type TimerRef, Timers } from "./timers.ts";
import type { ProcessTracer } from "./tracer.ts";

/** Counters of an isolate's processes since it began. */
export interface ProcessCounts {
  spawned: number;
  ended: number;
  /** Ended by something that a handler threw. */
  crashed: number;
  /** Messages that a full mailbox lost by its policy. */
  messagesDropped: number;
  /** Messages to processes that were gone. */
  toNobody: number;
  /** Messages that code sent as a process that had ended. */
  fromEnded: number;
  /** Messages of timers to somewhere else that could not be sent when they were due. */
  timersFailed: number;
  /** Answers that came after their call had ended. */
  lateReplies: number;
}

/** What the runtime tells of a process that ended by something its handler threw. */
export interface CrashReport {
  readonly pid: Pid;
  readonly label: string;
  readonly names: readonly string[];
  readonly reason: ExitReason;
}

/** Labels whose limits are shared. */
const LIMITS_KEPT_MAX = 1_024;
const NAME_LENGTH_MAX = 200;

/** The processes of one isolate: who there is, who is tied to whom, and whose turn it is. */
export class ProcessRuntime {
  readonly home: Home;
  /** Stands for code of this isolate that is no process. */
  readonly nobody: Pid;
  readonly queue: RunQueue;
  readonly counts: ProcessCounts = {
    spawned: 0,
    ended: 0,
    crashed: 0,
    messagesDropped: 0,
    toNobody: 0,
    fromEnded: 0,
    timersFailed: 0,
    lateReplies: 0,
  };
  /** Messages that wait in front of full mailboxes. */
  readonly backlogs = new Backlogs();
  readonly #deadlines = new Deadlines();
  /** Those that are for no process of this isolate in particular. */
  readonly #timers = new Timers();
  readonly #processes = new Map<number, LightProcess>();
  readonly #names = new Map<string, { process: LightProcess; release: () => void }>();
  readonly #limits = new Map<string, ProcessLimits>();
  readonly #room = new Map<LightProcess, (() => void)[]>();
  readonly #onCrash: (report: CrashReport) => void;
  #distant: Distant = NOWHERE;
  #host: HeavyHost | undefined;
  #isClosed = false;
  #serial = 0;
  #ref = 0;
  /** The heavy process that this isolate is there for. */
  main: LightProcess | undefined;
  /** The process whose handler runs right now. */
  current: LightProcess | undefined;
  /** Who hears what processes do; nobody, unless somebody asked for it. */
  tracer: ProcessTracer | undefined;

  constructor(home: Home, budgetMs: number, onCrash: (report: CrashReport) => void) {
    this.home = home;
    this.nobody = new Pid(home, 0);
    this.queue = new RunQueue(budgetMs);
    this.#onCrash = onCrash;
  }

  /** Gives it a way to other isolates and nodes, and to isolates of its own. */
  connect(distant: Distant, host: HeavyHost): void {
    this.#distant = distant;
    this.#host = host;
  }

  /** Where heavy processes come from, if it is part of a node. */
  get host(): HeavyHost | undefined {
    return this.#host;
  }

  /** Number of processes alive. */
  get size(): number {
    return this.#processes.size;
  }

  /** How many messages wait in each mailbox, one number for each process alive. */
  *mailboxSizes(): Generator<number> {
    for (const process of this.#processes.values()) yield process.mailboxSize;
  }

  /** The pids of all processes alive, oldest first. */
  pids(): Pid[] {
    return [...this.#processes.values()].map(({ pid }) => pid);
  }

  /** The process of a pid, if it lives here. */
  find(pid: Pid): LightProcess | undefined {
    return isSameHome(pid.home, this.home) ? this.#processes.get(pid.serial) : undefined;
  }

  /** The process of a serial number of this isolate. */
  at(serial: number): LightProcess | undefined {
    return this.#processes.get(serial);
  }

  /** Starts a process; `parent` is the one that does it. */
  spawn(
    body: Spawnable<never>,
    options: SpawnOptions = NO_OPTIONS,
    parent: LightProcess | undefined = this.current,
  ): LightProcess {
    if (this.#isClosed) {
      const text = `this isolate is no part of '${this.home.node}' any more`;
      throw new FoundationError("node_left", text);
    }
    checkSpawn(body, options);
    const limits = this.#limitsOf(body, options);
    if (options.name !== undefined) this.#checkName(options.name);
    const pid = new Pid(this.home, ++this.#serial);
    const isTrapping = options.trapExit === true;
    const process = new LightProcess(this, pid, body as Spawnable<unknown>, limits, isTrapping);
    this.#processes.set(pid.serial, process);
    this.counts.spawned++;
    if (HOOKS.spawn.hasSubscribers) HOOKS.spawn.publish({ pid, label: process.label });
    this.tracer?.spawned(process, parent?.pid);
    try {
      if (options.name !== undefined) this.register(options.name, process);
      options.via?.register(pid);
    } catch (thrown) {
      process.end("normal");
      throw thrown;
    }
    return process;
  }

  /**
   * Starts a process and resolves once its `init` has. `link` ties it to another one from its first
   * moment.
   */
  async start(
    body: Spawnable<never>,
    options: SpawnOptions = {},
    link?: LightProcess,
  ): Promise<LightProcess> {
    link?.mustLive();
    const init = new Starting(body);
    const process = this.spawn(init.body, init.labelled(options), link);
    if (link !== undefined) this.link(link, process.pid);
    const stop = this.watch(process.pid, ({ reason }) => init.fail(reason));
    try {
      await init.done;
    } finally {
      stop();
    }
    return process;
  }

  /** Processes that are alike share their limits. */
  #limitsOf(body: Spawnable<never>, { label, mailbox }: SpawnOptions): ProcessLimits {
    const name = label ?? (typeof body === "function" ? body.name : body.constructor.name);
    if (mailbox === undefined) {
      const known = this.#limits.get(name);
      if (known !== undefined) return known;
    }
    const limits = limitsOf(name, mailbox);
    if (mailbox === undefined && this.#limits.size < LIMITS_KEPT_MAX)
      this.#limits.set(name, limits);
    return limits;
  }

  // Names.

  #checkName(name: string): void {
    if (name.length === 0 || name.length > NAME_LENGTH_MAX) {
      const text = `a process name has 1 to ${NAME_LENGTH_MAX} characters`;
      throw new FoundationError("name_refused", text);
    }
    if (!this.#names.has(name)) return;
    throw new FoundationError("name_taken", `a process is registered as '${name}'`);
  }

  /** Gives a process of this isolate a name that is unique in the node. */
  register(name: string, process: LightProcess): void {
    this.#checkName(name);
    if (process.isDead) throw noProcessError(process.pid.toString());
    const release = this.#distant.register(name);
    this.#names.set(name, { process, release });
    process.ties.names.add(name);
  }

  /** Takes a name away; false where nobody here has it. */
  unregister(name: string): boolean {
    const entry = this.#names.get(name);
    if (entry === undefined) return false;
    this.#names.delete(name);
    entry.process.knownTies?.names.delete(name);
    entry.release();
    return true;
  }

  /** The process of this isolate that has a name. */
  named(name: string): LightProcess | undefined {
    return this.#names.get(name)?.process;
  }

  // Messages.

  /** A process of this isolate, or where else it is. */
  #resolve(to: Destination): LightProcess | DistantDestination | undefined {
    if (to instanceof Pid) return isSameHome(to.home, this.home) ? this.at(to.serial) : to;
    if (typeof to === "string") {
      return this.named(to) ?? { node: this.home.node, name: to };
    }
    checkNamed(to);
    return (to.node === this.home.node ? this.named(to.name) : undefined) ?? to;
  }

  /** See `Processes.send`. */
  send(to: Destination, message: unknown, options?: ProcessSendOptions): boolean {
    checkSending(options);
    const target = this.#resolve(to);
    if (target instanceof LightProcess) return target.accept(message);
    if (target !== undefined) return this.#distant.send(target, "send", message, options);
    this.counts.toNobody++;
    return true;
  }

  /** See `Processes.cast`. */
  cast(to: Destination, message: unknown, options?: ProcessSendOptions): boolean {
    checkSending(options);
    const target = this.#resolve(to);
    if (target instanceof LightProcess) return target.accept(new Envelope("cast", message));
    if (target !== undefined) return this.#distant.send(target, "cast", message, options);
    this.counts.toNobody++;
    return true;
  }

  /** See `Processes.call`. */
  async call(to: Destination, message: unknown, options?: ProcessCallOptions): Promise<unknown> {
    checkCalling(options);
    const timeoutMs = options?.timeoutMs ?? PROCESS_CALL_DEFAULTS.timeoutMs;
    const target = this.#resolve(to);
    const name = to instanceof Pid || typeof to === "string" ? to : to.name;
    const call = new PendingCall(name, timeoutMs, options?.signal, this.#deadlines, this.counts);
    if (areCallsHooked()) publishCall(this.current?.pid, to, call.promise);
    if (target === undefined) call.fail(noProcessError(String(name)));
    else if (!(target instanceof LightProcess)) {
      this.#distant.call(target, message, call, options);
    } else if (!target.accept(new Envelope("call", message, call))) {
      void this.#callWithRoom(target, message, call);
    }
    return call.promise;
  }

  async #callWithRoom(target: LightProcess, message: unknown, call: PendingCall): Promise<void> {
    do {
      await this.awaitRoom(target);
      if (call.isSettled) return;
      if (target.isDead) return call.fail(noProcessError(target.pid.toString()));
    } while (!target.accept(new Envelope("call", message, call)));
  }

  /** See `Processes.drained`. */
  async drained(to: Destination, options?: ProcessSendOptions): Promise<void> {
    checkSending(options);
    const target = this.#resolve(to);
    if (target instanceof LightProcess) return this.awaitRoom(target);
    if (target !== undefined) return this.#distant.drained(target, options);
  }

  /** Resolves when a mailbox has room, or its process is gone. */
  async awaitRoom(process: LightProcess): Promise<void> {
    while (!process.isDead && !process.hasRoom) {
      await new Promise<void>((resolve) => {
        const waiters = this.#room.get(process) ?? [];
        this.#room.set(process, waiters);
        waiters.push(resolve);
      });
    }
  }

  /** A mailbox that was full is not any more, or is gone. */
  roomIn(process: LightProcess): void {
    this.backlogs.refill(process);
    const waiters = this.#room.get(process);
    if (waiters === undefined) return;
    this.#room.delete(process);
    for (const waiter of waiters) waiter();
  }

  /**
   * Gives those who wait for a process's own word credit for so many messages.
   *
   * @throws FoundationError `invalid_options`
   */
  grant(process: LightProcess, messages: number): void {
    this.#distant.grant(process, checkCount("messages", messages));
  }

  /** See `Processes.sendAfter`. */
  sendAfter(delayMs: number, to: Destination, message: unknown): TimerRef {
    const target = to instanceof Pid ? this.find(to) : undefined;
    if (target !== undefined) return target.sendAfter(delayMs, message);
    checkDelay("delayMs", delayMs);
    return this.#timers.start(delayMs, () => this.#sendDue(to, message));
  }

  #sendDue(to: Destination, message: unknown): void {
    const target = this.#resolve(to);
    if (target instanceof LightProcess) void this.backlogs.deliver(target, "send", message);
    else if (target === undefined) this.counts.toNobody++;
    else void this.#sendAway(target, message);
  }

  async #sendAway(to: DistantDestination, message: unknown): Promise<void> {
    try {
      while (!this.#distant.send(to, "send", message, undefined)) {
        await this.#distant.drained(to, undefined);
      }
    } catch {
      this.counts.timersFailed++; // it cannot be encoded, or its isolate has left the node
    }
  }

  // Exits.

  /** See `Processes.exit`. */
  exit(from: Pid, to: Pid, reason: ExitReason): void {
    checkPid(to);
    if (!isSameHome(to.home, this.home)) return this.#distant.exit(from, to, reason, false);
    this.at(to.serial)?.onExit(from, reason, false);
  }

  /** See `Processes.stop`. */
  stop(pid: Pid, reason: ExitReason): void {
    checkPid(pid);
    if (!isSameHome(pid.home, this.home)) return this.#distant.stop(pid, reason);
    const process = this.at(pid.serial);
    if (process !== undefined) this.backlogs.signal(process, new StopRequest(reason));
  }

  /** A handler threw: whoever watches crashes is told. */
  crashed(process: LightProcess, reason: ExitReason): void {
    this.counts.crashed++;
    const { pid, label } = process;
    this.#onCrash({ pid, label, names: [...(process.knownTies?.names ?? [])], reason });
  }

  /** A process has ended: its names are free, its ties are told. */
  ended(process: LightProcess, reason: ExitReason): void {
    const { pid } = process;
    this.counts.ended++;
    this.#processes.delete(pid.serial);
    if (HOOKS.exit.hasSubscribers) HOOKS.exit.publish({ pid, label: process.label, reason });
    this.tracer?.ended(process, reason);
    this.roomIn(process);
    const ties = process.knownTies;
    if (ties === undefined) return;
    for (const name of [...ties.names]) this.unregister(name);
    for (const [ref, target] of ties.monitors) this.#stopWatching(ref, target);
    for (const linked of ties.links.values()) {
      if (!isSameHome(linked.home, this.home)) {
        this.#distant.exit(pid, linked, reason, true);
        continue;
      }
      const other = this.at(linked.serial);
      other?.knownTies?.links.delete(pid.serial);
      other?.onExit(pid, reason, true);
    }
    for (const watcher of ties.watchers.values()) watcher.down(pid, reason);
  }

  // Ties.

  /** Ties two processes, of which one is here. */
  link(process: LightProcess, pid: Pid): void {
    checkPid(pid);
    if (process.isDead || pid.equals(process.pid)) return;
    const key = tieKey(pid, this.home);
    if (process.ties.links.has(key)) return;
    if (typeof key === "string") {
      process.ties.links.set(key, pid);
      return this.#distant.link(process, pid);
    }
    const other = this.at(key);
    if (other === undefined) return process.onExit(pid, "noproc", true);
    process.ties.links.set(key, other.pid);
    other.ties.links.set(process.pid.serial, process.pid);
  }

  /** Undoes a link. */
  unlink(process: LightProcess, pid: Pid): void {
    const key = tieKey(pid, this.home);
    if (process.knownTies?.links.delete(key) !== true) return;
    if (typeof key === "string") return this.#distant.unlink(process, pid);
    this.at(key)?.knownTies?.links.delete(process.pid.serial);
  }

  /** Has a process tell another one when it ends. */
  monitor(process: LightProcess, pid: Pid): MonitorRef {
    checkPid(pid);
    const ref = this.#nextRef();
    if (process.isDead) return ref;
    process.ties.monitors.set(ref, pid);
    this.#watch(ref, pid, {
      down: (target, reason) => {
        if (process.knownTies?.monitors.delete(ref) !== true) return;
        const message: Down = { kind: "DOWN", ref, pid: target, reason };
        this.backlogs.signal(process, message);
      },
    });
    return ref;
  }

  /** Ends a monitor that a process holds. */
  demonitor(process: LightProcess, ref: MonitorRef): void {
    const target = process.knownTies?.monitors.get(ref);
    if (target === undefined) return;
    process.knownTies?.monitors.delete(ref);
    this.#stopWatching(ref, target);
  }

  /** Calls a function once when a process has ended; the answer stops that. */
  watch(pid: Pid, onDown: (down: Down) => void): () => void {
    checkPid(pid);
    const ref = this.#nextRef();
    let isOver = false;
    const down = (target: Pid, reason: ExitReason): void => {
      if (isOver) return;
      isOver = true;
      queueMicrotask(() => onDown({ kind: "DOWN", ref, pid: target, reason }));
    };
    this.#watch(ref, pid, { down });
    return () => {
      if (isOver) return;
      isOver = true;
      this.#stopWatching(ref, pid);
    };
  }

  #nextRef(): MonitorRef {
    return ++this.#ref as MonitorRef;
  }

  #watch(ref: MonitorRef, pid: Pid, watcher: Watcher): void {
    if (!isSameHome(pid.home, this.home)) return this.#distant.monitor(ref, watcher, pid);
    const target = this.at(pid.serial);
    if (target === undefined) watcher.down(pid, "noproc");
    else target.ties.watchers.set(ref, watcher);
  }

  #stopWatching(ref: MonitorRef, pid: Pid): void {
    if (isSameHome(pid.home, this.home)) this.at(pid.serial)?.knownTies?.watchers.delete(ref);
    else this.#distant.demonitor(ref, pid);
  }

  /** Ends all processes: the isolate leaves its node. */
  close(reason: ExitReason): void {
    this.#isClosed = true;
    this.#timers.cancelAll();
    for (const process of [...this.#processes.values()]) process.end(reason);
  }
}

function limitsOf(label: string, mailbox: MailboxOptions = MAILBOX_DEFAULTS): ProcessLimits {
  checkKeys("mailbox", mailbox, Object.keys(MAILBOX_DEFAULTS));
  const { messagesMax, policy } = { ...MAILBOX_DEFAULTS, ...mailbox };
  const isCount = Number.isSafeInteger(messagesMax) && (messagesMax as number) >= 1;
  if (messagesMax !== "unbounded" && !isCount) {
    const text = `mailbox.messagesMax must be a whole number above 0 or "unbounded"`;
    throw new FoundationError("invalid_options", text);
  }
  if (!MAILBOX_POLICIES.includes(policy)) {
    const text = `mailbox.policy must be one of ${MAILBOX_POLICIES.join(", ")}, not '${policy}'`;
    throw new FoundationError("invalid_options", text);
  }
  const limit = messagesMax === "unbounded" ? Number.POSITIVE_INFINITY : messagesMax;
  return Object.freeze({ messagesMax: limit, policy, label });
}
