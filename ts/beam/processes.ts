import { FoundationError } from "../base/errors.ts";
import { type Home, isSameHome, type Pid } from "../base/pid.ts";
import type { TypedEvents, Unsubscribe } from "../base/typed-events.ts";
import type { Distribution } from "./distribution.ts";
import type { EcosystemOptions, SpawnEcosystem } from "./ecosystems/ecosystem-types.ts";
import { noProcessError } from "./envelope.ts";
import type { Factories, Factory, SpawnOnOptions } from "./factories.ts";
import type { HeavyPoolCounts } from "./heavy-pool.ts";
import type { LightProcess } from "./process.ts";
import type {
  Destination,
  NamedProcess,
  ProcessCallOptions,
  ProcessInfo,
  ProcessSendOptions,
  Spawnable,
  SpawnOptions,
} from "./process-types.ts";
import type { CrashReport, ProcessCounts, ProcessRuntime } from "./runtime.ts";
import type { Down, ExitReason, MonitorRef } from "./signals.ts";
import { checkPid } from "./spawn-checks.ts";
import { startProcess } from "./start-process.ts";
import type { Startable, StartOptions } from "./startable.ts";
import type { TimerRef } from "./timers.ts";
import type { ProcessTracer } from "./tracer.ts";

/** What an isolate's processes report. */
export interface ProcessEvents {
  /**
   * A process ended by what its handler threw. Without a listener a warning is emitted, at most one
   * a second.
   */
  crashed: CrashReport;
}

/** How many there are at present. */
export interface ProcessGauges {
  readonly alive: number;
  readonly ready: number;
  readonly signalsWaiting: number;
  readonly messagesHeld: number;
  /** Heavy processes of the node, in the isolate that has started it; 0 in others. */
  readonly heavy: number;
  /** Isolates kept ready for heavy processes; undefined where this isolate keeps none. */
  readonly heavyPool: HeavyPoolCounts | undefined;
}

/** What waits in the mailboxes of an isolate. */
export interface MailboxGauges {
  /** In all of them. Unit: messages. */
  readonly messages: number;
  /** In the one with most. Unit: messages. */
  readonly longest: number;
}

/** More are not looked at. Unit: processes. */
const MAILBOXES_LOOKED_AT_MAX = 100_000;

/** The processes of this isolate, and the way to those of others. */
export class Processes {
  readonly #runtime: ProcessRuntime;
  readonly #distribution: Distribution;
  readonly #factories: Factories;
  readonly #events: TypedEvents<ProcessEvents>;
  readonly #spawnEcosystem: SpawnEcosystem;

  constructor(
    runtime: ProcessRuntime,
    distribution: Distribution,
    factories: Factories,
    events: TypedEvents<ProcessEvents>,
    spawnEcosystem: SpawnEcosystem,
  ) {
    this.#runtime = runtime;
    this.#distribution = distribution;
    this.#factories = factories;
    this.#events = events;
    this.#spawnEcosystem = spawnEcosystem;
  }

  /** Where the processes of this isolate live. */
  get home(): Home {
    return this.#runtime.home;
  }

  /** Calls `listener` at every event of that name until the returned function is called. */
  on<Name extends keyof ProcessEvents>(
    name: Name,
    listener: (event: ProcessEvents[Name]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * Starts a light process: a mailbox and a handler that takes one message at a time, also across
   * `await`. What the handler returns answers a call. It ends when it exits, when its handler
   * throws, or by a signal.
   *
   * @throws FoundationError `invalid_options`, `name_taken`, `name_refused`, `node_left`
   */
  spawn<Message = never>(body: Spawnable<Message>, options?: SpawnOptions): Pid {
    return this.#runtime.spawn(body, options).pid;
  }

  /**
   * Starts a process that is linked to the one whose handler runs.
   *
   * @throws FoundationError `not_a_process` outside of a handler, `process_exited` where it has
   *   just ended; see {@link spawn}
   */
  spawnLink<Message = never>(body: Spawnable<Message>, options?: SpawnOptions): Pid {
    return this.#current("spawnLink").spawnLink(body, options);
  }

  /**
   * Starts a process that the one whose handler runs monitors.
   *
   * @throws FoundationError `not_a_process` outside of a handler, `process_exited` where it has
   *   just ended; see {@link spawn}
   */
  spawnMonitor<Message = never>(
    body: Spawnable<Message>,
    options?: SpawnOptions,
  ): { pid: Pid; ref: MonitorRef } {
    return this.#current("spawnMonitor").spawnMonitor(body, options);
  }

  /**
   * Starts a server, a supervisor or any other process, and resolves once its `init` has.
   *
   * @throws FoundationError `init_failed` with what it threw as `cause`; see {@link spawn}
   */
  async start(start: Startable, options: StartOptions = {}): Promise<Pid> {
    return startProcess(this.#runtime, start, options);
  }

  /**
   * The same for a process that is linked to the one whose handler runs, which is its parent: when
   * that ends, so does it, even if it traps exits.
   *
   * @throws FoundationError `not_a_process` outside of a handler; see {@link start}
   */
  async startLink(start: Startable, options: StartOptions = {}): Promise<Pid> {
    const process = this.#current("startLink");
    return startProcess(this.#runtime, start, options, { process, pid: process.pid });
  }

  /**
   * Has a tracer hear what the processes of this isolate do, until the returned function is called.
   * Without one nothing is paid for it. Those of heavy processes live in other isolates.
   *
   * @throws FoundationError `trace_under_way` where another one hears it
   */
  trace(tracer: ProcessTracer): Unsubscribe {
    const runtime = this.#runtime;
    if (runtime.tracer !== undefined) {
      throw new FoundationError("trace_under_way", "another tracer hears these processes");
    }
    runtime.tracer = tracer;
    return () => {
      if (runtime.tracer === tracer) runtime.tracer = undefined;
    };
  }

  /** Starts several workers behind one pid, as `node.beam.ecosystems.spawnEcosystem`. */
  async spawnEcosystem(name: string, options: EcosystemOptions): Promise<Pid>;
  async spawnEcosystem(options: EcosystemOptions): Promise<Pid>;
  async spawnEcosystem(first: string | EcosystemOptions, second?: EcosystemOptions): Promise<Pid> {
    return typeof first === "string"
      ? this.#spawnEcosystem(first, second as EcosystemOptions)
      : this.#spawnEcosystem(first);
  }

  /**
   * Has a process end once it has handled what came before, and resolves when it is gone. Its
   * `terminate` runs.
   */
  async stop(pid: Pid, reason: ExitReason = "normal"): Promise<void> {
    checkPid(pid);
    const ended = this.exitOf(pid);
    this.#runtime.stop(pid, reason);
    await ended;
  }

  /**
   * The process whose handler runs right now. After an `await` this is nobody, or somebody else:
   * the handler's own argument stays right.
   */
  self(): Pid | undefined {
    return this.#runtime.current?.pid;
  }

  /**
   * Sends a message. A receiver that is gone, or cannot be reached, loses it, which is counted.
   *
   * @returns true: accepted. False: its mailbox, or the way there, is full and nothing was taken;
   *   wait for {@link drained} and send again.
   * @throws FoundationError `unencodable`, `message_too_large`, `unknown_channel` where it leaves
   *   the isolate
   */
  send(to: Destination, message: unknown, options?: ProcessSendOptions): boolean {
    return this.#runtime.send(to, message, options);
  }

  /** Sends a message that behaviours such as `GenServer` tell apart: `handleCast` gets it. */
  cast(to: Destination, message: unknown, options?: ProcessSendOptions): boolean {
    return this.#runtime.cast(to, message, options);
  }

  /**
   * Sends a request and resolves with the answer. A full mailbox is waited for.
   *
   * @throws FoundationError `invalid_options`, `timeout`, `aborted`, `noproc`, `noconnection`,
   *   `process_exited` where it ended before it answered, and what {@link send} throws
   */
  async call(to: Destination, message: unknown, options?: ProcessCallOptions): Promise<unknown> {
    return this.#runtime.call(to, message, options);
  }

  /** Resolves when a receiver that did not accept may be sent to again, or is gone. */
  async drained(to: Destination, options?: ProcessSendOptions): Promise<void> {
    return this.#runtime.drained(to, options);
  }

  /**
   * Sends an exit signal. `kill` cannot be trapped and ends the process as `killed`; `normal` ends
   * nobody else; any other reason ends a process that does not trap exits. One that does is told
   * of the process whose handler runs; of serial 0, which nobody has, where there is none.
   */
  exit(pid: Pid, reason: ExitReason): void {
    const { current, nobody } = this.#runtime;
    this.#runtime.exit(current?.pid ?? nobody, pid, reason);
  }

  /**
   * Links two processes, the first of which lives in this isolate.
   *
   * @throws FoundationError `noproc` where it does not
   */
  link(pid: Pid, other: Pid): void {
    this.#runtime.link(this.#own(pid), other);
  }

  /** Undoes a link. */
  unlink(pid: Pid, other: Pid): void {
    this.#runtime.unlink(this.#own(pid), other);
  }

  /**
   * Calls `onDown` once when a process has ended; at once where it is gone. For code that is no
   * process; a process uses its own `monitor`.
   *
   * @returns a function that ends the monitor
   */
  monitor(pid: Pid, onDown: (down: Down) => void): Unsubscribe {
    return this.#runtime.watch(pid, onDown);
  }

  /** Resolves with the exit reason of a process. */
  async exitOf(pid: Pid): Promise<ExitReason> {
    return new Promise((resolve) => {
      this.#runtime.watch(pid, ({ reason }) => resolve(reason));
    });
  }

  /**
   * Gives a process of this isolate a name, unique in its node; others reach it by it.
   *
   * @throws FoundationError `name_taken`, `name_refused`, `noproc`
   */
  register(name: string, pid: Pid): void {
    this.#runtime.register(name, this.#own(pid));
  }

  /** Takes a name of this isolate away; false where it has none such. */
  unregister(name: string): boolean {
    return this.#runtime.unregister(name);
  }

  /** The process of this isolate that has a name. */
  whereis(name: string): Pid | undefined {
    return this.#runtime.named(name)?.pid;
  }

  /** The process of a name, of any isolate of any node; undefined where there is none. */
  async lookup(to: string | NamedProcess): Promise<Pid | undefined> {
    const { node } = this.#runtime.home;
    const place = typeof to === "string" ? { node, name: to } : to;
    const here = place.node === node ? this.whereis(place.name) : undefined;
    return here ?? this.#distribution.lookup(place);
  }

  /**
   * Lets others start processes in this isolate by a name, with {@link spawnOn}. Code never
   * travels: `make` says what is started for the arguments that came.
   *
   * @returns a function that withdraws the offer
   * @throws FoundationError `name_taken` where an isolate of this node offers that name
   */
  offer(factory: string, make: Factory): Unsubscribe {
    return this.#factories.offer(factory, make);
  }

  /**
   * Starts a process at a node that offers a factory of that name; resolves once its `init` has.
   *
   * @throws FoundationError `unknown_factory`, `init_failed`, `noconnection`, `timeout`, `aborted`,
   *   `unencodable`
   */
  async spawnOn(
    node: string,
    factory: string,
    args: readonly unknown[] = [],
    options: SpawnOnOptions = {},
  ): Promise<Pid> {
    return this.#factories.spawnOn(node, factory, args, options);
  }

  /**
   * Sends a message later. Where its receiver is full then, the message waits in front of it, or is
   * lost and counted, by the policy of the mailbox. The timer keeps the event loop alive; it ends
   * with the process of this isolate that `to` is the pid of. Unit of `delayMs`: ms, 2^31 - 1 at
   * most.
   *
   * @throws FoundationError `invalid_options`
   */
  sendAfter(delayMs: number, to: Destination, message: unknown): TimerRef {
    return this.#runtime.sendAfter(delayMs, to, message);
  }

  /** Stops a timer: how much was left of it. Undefined where it is over. Unit: ms. */
  cancelTimer(timer: TimerRef): number | undefined {
    return timer.cancel();
  }

  /** Whether a process of this isolate is alive. */
  isAlive(pid: Pid): boolean {
    checkPid(pid);
    return this.#runtime.find(pid) !== undefined;
  }

  /** Whether a pid is one of this isolate, dead or alive. */
  isLocal(pid: Pid): boolean {
    return isSameHome(pid.home, this.#runtime.home);
  }

  /** What a process is doing, wherever it is; undefined where it is gone. */
  async processInfo(pid: Pid): Promise<ProcessInfo | undefined> {
    checkPid(pid);
    if (isSameHome(pid.home, this.#runtime.home)) return this.#runtime.find(pid)?.info();
    return this.#distribution.info(pid);
  }

  /** The processes of this isolate, oldest first. */
  list(): Pid[] {
    return this.#runtime.pids();
  }

  /**
   * Counters of this isolate's processes, and at present: how many are alive, wait for their turn;
   * signals and messages that wait for room, on the way out and in front of full mailboxes; what
   * is kept ready for heavy processes.
   */
  counts(): Readonly<ProcessCounts> & ProcessGauges {
    const { counts, size, queue, backlogs, host } = this.#runtime;
    const { signalsWaiting } = this.#distribution;
    const messagesHeld = backlogs.size;
    const present = { alive: size, ready: queue.size, signalsWaiting, messagesHeld };
    return { ...counts, ...present, heavy: host?.size ?? 0, heavyPool: host?.pool };
  }

  /**
   * What waits in the mailboxes of this isolate. Every process is looked at, so with more than
   * 100,000 of them, which would take milliseconds, the answer is undefined.
   */
  mailboxes(): MailboxGauges | undefined {
    if (this.#runtime.size > MAILBOXES_LOOKED_AT_MAX) return undefined;
    let [messages, longest] = [0, 0];
    for (const size of this.#runtime.mailboxSizes()) {
      messages += size;
      if (size > longest) longest = size;
    }
    return { messages, longest };
  }

  #own(pid: Pid): LightProcess {
    checkPid(pid);
    const process = this.#runtime.find(pid);
    if (process === undefined) throw noProcessError(pid.toString());
    return process;
  }

  #current(what: string): LightProcess {
    const { current } = this.#runtime;
    if (current !== undefined) return current;
    throw new FoundationError("not_a_process", `${what} needs a process whose handler runs`);
  }
}
