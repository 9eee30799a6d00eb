import { checkDelay } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import { type Delivery, type From, NO_REPLY } from "./envelope.ts";
import type { LightProcess } from "./process.ts";
import type { ProcessBody, Self } from "./process-types.ts";
import { type ExitReason, isExit, Notice } from "./signals.ts";
import type { Blueprint } from "./startable.ts";
import type { TimerRef } from "./timers.ts";

/** What a machine does in one state. An event without a handler is an error, but for `info`. */
export interface StateHandlers<State extends string> {
  /** The state was entered, from another one or at the start. */
  enter?(from: State | undefined): unknown;
  /** A call: answered with what it returns or resolves to, or later where that is `noReply`. */
  call?(request: unknown, from: From): unknown;
  /** A message of `cast`. */
  cast?(message: unknown): unknown;
  /** Any other message; without a handler it is ignored. */
  info?(message: unknown): unknown;
  /** A timeout that was set by {@link StateMachine.stateTimeout} (`state`) or by its name. */
  timeout?(name: string): unknown;
}

interface NextMove<State> {
  goto?: State;
  isPostponed?: boolean;
  stop?: { readonly reason: ExitReason };
  readonly timers: { readonly name: string; readonly timeoutMs: number | undefined }[];
}

const STATE_TIMER = "state";

/**
 * A state machine process, as OTP's `gen_statem` with state functions: one instance is one process,
 * its fields are the data. Handlers run one at a time, also across `await`.
 */
export abstract class StateMachine<
  State extends string = string,
  Args extends readonly unknown[] = readonly never[],
> {
  /** Answer of a `call` handler that comes later through its {@link From}. */
  static readonly noReply: typeof NO_REPLY = NO_REPLY;
  #self: Self | undefined;
  #state: State | undefined;
  #next: NextMove<State> = { timers: [] };

  /** What is done in which state. */
  abstract readonly states: { readonly [Name in State]: StateHandlers<State> };

  /** Sets the machine up and says in which state it begins. */
  abstract init(...args: Args): State | Promise<State>;

  /** Runs at the end, unless the machine is killed or ended by a signal that it does not trap. */
  terminate(_reason: ExitReason): unknown {
    return undefined;
  }

  /** The process that this machine is. */
  protected get self(): Self {
    if (this.#self === undefined) throw new TypeError("a machine has its process from `init` on");
    return this.#self;
  }

  /** The present state. */
  protected get state(): State {
    return this.#state as State;
  }

  /** Goes to another state once the handler is over; postponed events are handled there first. */
  protected goto(state: State): void {
    this.#next.goto = state;
  }

  /** Has the present event handled again after the next change of state. */
  protected postpone(): void {
    this.#next.isPostponed = true;
  }

  /**
   * A timeout that a change of state ends. Unit: ms, 2^31 - 1 at most.
   *
   * @throws FoundationError `invalid_options`
   */
  protected stateTimeout(timeoutMs: number): void {
    this.timeout(STATE_TIMER, timeoutMs);
  }

  /**
   * A timeout of any other name, in the place of the one it may have had before. Unit: ms, 2^31 - 1
   * at most.
   *
   * @throws FoundationError `invalid_options`
   */
  protected timeout(name: string, timeoutMs: number): void {
    this.#next.timers.push({ name, timeoutMs: checkDelay("timeoutMs", timeoutMs) });
  }

  /** Ends a timeout. */
  protected cancelTimeout(name: string): void {
    this.#next.timers.push({ name, timeoutMs: undefined });
  }

  /** Ends the machine once the handler is over; a call is still answered. */
  protected stop(reason: ExitReason = "normal"): void {
    this.#next.stop = { reason };
  }

  /** A class as a blueprint, as the class itself is started too. */
  static blueprint<State extends string, Args extends readonly unknown[]>(
    machine: new () => StateMachine<State, Args>,
  ): Blueprint {
    return Object.freeze({
      label: machine.name,
      isSupervisor: false,
      make: (args: readonly unknown[], parent: Pid | undefined) => {
        return new StateMachineBody(new machine() as never, args, parent) as ProcessBody<never>;
      },
    });
  }

  /** For the process of the machine. */
  static attach(machine: StateMachine<string, readonly unknown[]>, self: Self): void {
    machine.#self = self;
  }

  /** For the process of the machine. */
  static enter(machine: StateMachine<string, readonly unknown[]>, state: string): void {
    machine.#state = state;
  }

  /** For the process of the machine. */
  static takeNext(machine: StateMachine<string, readonly unknown[]>): NextMove<string> {
    const next = machine.#next;
    machine.#next = { timers: [] };
    return next;
  }
}

/** A class of state machines, whatever its states and the arguments of its `init`. */
export type StateMachineClass = new () => StateMachine<string, readonly never[]>;

/** Whether something that can be started is a class of state machines. */
export function isStateMachineClass(value: unknown): value is StateMachineClass {
  return typeof value === "function" && value.prototype instanceof StateMachine;
}

type Event =
  | { readonly kind: "call"; readonly message: unknown; readonly from: From }
  | { readonly kind: "cast" | "info"; readonly message: unknown }
  | { readonly kind: "timeout"; readonly name: string };

/** Told to a machine when a timeout is over, unless another one has taken its place. */
class Elapsed extends Notice {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

class StateMachineBody implements ProcessBody<unknown> {
  readonly #machine: StateMachine<string, readonly unknown[]>;
  readonly #args: readonly unknown[];
  readonly #parent: Pid | undefined;
  readonly #timers = new Map<string, { readonly elapsed: Elapsed; readonly timer: TimerRef }>();
  #postponed: Event[] = [];
  #state = "";
  #self!: LightProcess;

  constructor(
    machine: StateMachine<string, readonly unknown[]>,
    args: readonly unknown[],
    parent: Pid | undefined,
  ) {
    this.#machine = machine;
    this.#args = args;
    this.#parent = parent;
  }

  async init(self: Self): Promise<void> {
    this.#self = self as LightProcess;
    StateMachine.attach(this.#machine, self);
    const state = await this.#machine.init(...this.#args);
    this.#setTimers(StateMachine.takeNext(this.#machine));
    await this.#enter(state, undefined);
  }

  async handle(message: unknown, self: Self, delivery: Delivery): Promise<unknown> {
    if (message instanceof Elapsed) {
      if (this.#timers.get(message.name)?.elapsed !== message) return;
      this.#timers.delete(message.name);
      await this.#dispatch({ kind: "timeout", name: message.name });
    } else if (delivery.kind === "call") {
      await this.#dispatch({ kind: "call", message, from: delivery.from as From });
    } else if (delivery.kind === "cast") {
      await this.#dispatch({ kind: "cast", message });
    } else {
      const isParent = isExit(message) && this.#parent?.equals(message.from) === true;
      if (isParent) self.exit((message as { reason: unknown }).reason);
      await this.#dispatch({ kind: "info", message });
    }
    return NO_REPLY;
  }

  terminate(reason: ExitReason): unknown {
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    return this.#machine.terminate(reason);
  }

  async #dispatch(event: Event): Promise<void> {
    const answer = await this.#ask(event);
    const next = StateMachine.takeNext(this.#machine);
    if (next.isPostponed === true) this.#postponed.push(event);
    else if (event.kind === "call" && answer !== NO_REPLY) event.from.reply(answer);
    this.#setTimers(next);
    if (next.stop !== undefined) this.#self.exit(next.stop.reason);
    if (next.goto === undefined || next.goto === this.#state) return;
    await this.#enter(next.goto, this.#state);
    const postponed = this.#postponed;
    this.#postponed = [];
    for (const waiting of postponed) await this.#dispatch(waiting);
  }

  #ask(event: Event): unknown {
    const handlers = this.#handlers();
    switch (event.kind) {
      case "call":
        if (handlers.call !== undefined) return handlers.call(event.message, event.from);
        break;
      case "cast":
        if (handlers.cast !== undefined) return handlers.cast(event.message);
        break;
      case "info":
        return handlers.info?.(event.message);
      case "timeout":
        if (handlers.timeout !== undefined) return handlers.timeout(event.name);
        break;
      default:
        event satisfies never;
    }
    const { name } = this.#machine.constructor;
    throw new TypeError(`${name} handles no ${event.kind} in state '${this.#state}'`);
  }

  #handlers(): StateHandlers<string> {
    const handlers = this.#machine.states[this.#state];
    if (handlers !== undefined) return handlers;
    throw new TypeError(`${this.#machine.constructor.name} has no state '${this.#state}'`);
  }

  /** Enters a state, and whatever state that leads to. */
  async #enter(state: string, from: string | undefined): Promise<void> {
    this.#cancel(STATE_TIMER);
    this.#state = state;
    StateMachine.enter(this.#machine, state);
    await this.#handlers().enter?.(from);
    const next = StateMachine.takeNext(this.#machine);
    this.#setTimers(next);
    if (next.stop !== undefined) this.#self.exit(next.stop.reason);
    if (next.goto !== undefined && next.goto !== state) await this.#enter(next.goto, state);
  }

  #setTimers({ timers }: NextMove<string>): void {
    for (const { name, timeoutMs } of timers) {
      this.#cancel(name);
      if (timeoutMs === undefined) continue;
      const elapsed = new Elapsed(name);
      const timer = this.#self.noticeAfter(timeoutMs, elapsed);
      this.#timers.set(name, { elapsed, timer });
    }
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.timer.cancel();
    this.#timers.delete(name);
  }
}
