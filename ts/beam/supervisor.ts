import { FoundationError } from "../base/errors.ts";
import { checkKeys } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import { type ChildOptions, type ChildSpec, childSpec } from "./child-spec.ts";
import { Children } from "./children.ts";
import type { Delivery } from "./envelope.ts";
import type { ProcessBody, Self } from "./process-types.ts";
import { Restarts } from "./restarts.ts";
import { type ExitReason, isExit, isWantedEnd } from "./signals.ts";
import type { Blueprint } from "./startable.ts";
import {
  answerSupervisorCall,
  RestartDue,
  restartingError,
  type Supervising,
} from "./supervisor-calls.ts";
import {
  type ChildCounts,
  type ChildInfo,
  type Strategy,
  SUPERVISOR_DEFAULTS,
  type SupervisionOptions,
} from "./supervisor-types.ts";
import type { TimerRef } from "./timers.ts";

/** What a supervisor does; how its process is started is said where it is. */
export const SUPERVISION_KEYS = ["children", "strategy", "intensity", "backoff"] as const;

const STRATEGIES: readonly Strategy[] = ["oneForOne", "oneForAll", "restForOne"];

interface Child {
  readonly spec: ChildSpec;
  pid: Pid | undefined;
  state: ChildInfo["state"];
  restarts: number;
  /** While it waits for its back-off. */
  wait: { readonly due: RestartDue; readonly timer: TimerRef } | undefined;
}

function childOf(spec: ChildSpec): Child {
  return { spec, pid: undefined, state: "stopped", restarts: 0, wait: undefined };
}

/**
 * A supervisor to be started as a process, or as the child of another one: it starts its children
 * in order, restarts them by its strategy, and ends them in reverse order.
 *
 * @throws FoundationError `invalid_options`
 */
export function supervisor(options: SupervisionOptions): Blueprint {
  checkKeys("the options of a supervisor", options, SUPERVISION_KEYS);
  const { children = [], strategy = SUPERVISOR_DEFAULTS.strategy, intensity, backoff } = options;
  if (!STRATEGIES.includes(strategy as Strategy)) {
    const text = `strategy must be one of ${STRATEGIES.join(", ")}, not '${strategy}'`;
    throw new FoundationError("invalid_options", text);
  }
  const specs = children.map(childSpec);
  const twice = specs.find(({ id }, index) => specs.findIndex((spec) => spec.id === id) < index);
  if (twice !== undefined) {
    throw new FoundationError("invalid_options", `two children have the id '${twice.id}'`);
  }
  new Restarts(intensity, backoff);
  return Object.freeze({
    label: "Supervisor",
    isSupervisor: true,
    make: (_args: readonly unknown[], parent: Pid | undefined): ProcessBody<never> => {
      const restarts = new Restarts(intensity, backoff);
      return new SupervisorBody(
        specs,
        strategy as Strategy,
        restarts,
        parent,
      ) as ProcessBody<never>;
    },
  });
}

class SupervisorBody implements ProcessBody<unknown>, Supervising {
  readonly #strategy: Strategy;
  readonly #restarts: Restarts;
  readonly #parent: Pid | undefined;
  readonly #list: Child[];
  #children!: Children;
  #self!: Self;

  constructor(
    specs: readonly ChildSpec[],
    strategy: Strategy,
    restarts: Restarts,
    parent: Pid | undefined,
  ) {
    this.#list = specs.map(childOf);
    this.#strategy = strategy;
    this.#restarts = restarts;
    this.#parent = parent;
  }

  async init(self: Self): Promise<void> {
    self.trapExit = true;
    this.#self = self;
    this.#children = new Children(self);
    try {
      for (const child of [...this.#list]) await this.#start(child);
    } catch (thrown) {
      await this.#stopAll(this.#list);
      throw thrown;
    }
  }

  handle(message: unknown, self: Self, delivery: Delivery): unknown {
    if (delivery.kind === "call") return answerSupervisorCall(this, message);
    if (message instanceof RestartDue) {
      const due = this.#list.find(({ wait }) => wait?.due === message);
      return due && this.#restart(due);
    }
    if (!isExit(message)) return undefined;
    if (this.#parent?.equals(message.from) === true) return self.exit(message.reason);
    const child = this.#list.find(({ pid }) => pid?.equals(message.from));
    return child === undefined ? undefined : this.#onEnd(child, message.reason);
  }

  async terminate(): Promise<void> {
    await this.#stopAll(this.#list);
  }

  async #start(child: Child): Promise<void> {
    child.pid = await this.#children.start(child.spec);
    child.state = "running";
  }

  async #stop(child: Child): Promise<void> {
    const { pid } = child;
    child.pid = undefined;
    child.state = "stopped";
    this.#stopWaiting(child);
    if (pid !== undefined) await this.#children.stop(pid, child.spec.shutdownMs);
  }

  #stopWaiting(child: Child): void {
    child.wait?.timer.cancel();
    child.wait = undefined;
  }

  /** In reverse order of their start. Temporary children that end are forgotten. */
  async #stopAll(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) {
      await this.#stop(child);
      if (child.spec.restart === "temporary") this.#forget(child);
    }
  }

  #forget(child: Child): void {
    const index = this.#list.indexOf(child);
    if (index >= 0) this.#list.splice(index, 1);
  }

  async #onEnd(child: Child, reason: ExitReason): Promise<void> {
    child.pid = undefined;
    child.state = "stopped";
    const { restart } = child.spec;
    if (restart === "temporary") return this.#forget(child);
    if (restart === "transient" && isWantedEnd(reason)) return undefined;
    return this.#plan(child);
  }

  /** A restart that is due now or, with back-off, later. */
  async #plan(child: Child): Promise<void> {
    if (this.#children.areAbandoned) return undefined;
    const delayMs = this.#restarts.next(performance.now());
    if (delayMs === undefined) return this.#self.exit("shutdown");
    child.state = "restarting";
    if (delayMs === 0) return this.#restart(child);
    const due = new RestartDue();
    child.wait = { due, timer: this.#children.noticeAfter(delayMs, due) };
    return undefined;
  }

  async #restart(child: Child): Promise<void> {
    this.#stopWaiting(child);
    child.state = "stopped"; // until it has started: one before it may not
    const concerned = this.#concerned(child);
    await this.#stopAll(concerned.filter((other) => other !== child));
    for (const other of concerned) {
      if (!this.#list.includes(other)) continue;
      try {
        await this.#start(other);
        other.restarts++;
      } catch {
        // Its end counts as one more; the children behind it are started with it.
        return this.#plan(other);
      }
    }
  }

  #concerned(child: Child): Child[] {
    switch (this.#strategy) {
      case "oneForOne":
        return [child];
      case "oneForAll":
        return [...this.#list];
      case "restForOne":
        return this.#list.slice(this.#list.indexOf(child));
      default:
        return this.#strategy satisfies never;
    }
  }

  // What its callers ask.

  async startChild(options: ChildOptions): Promise<Pid> {
    const spec = childSpec(options);
    if (this.#list.some((child) => child.spec.id === spec.id)) {
      throw new FoundationError("child_exists", `there is a child '${spec.id}' already`);
    }
    const child = childOf(spec);
    await this.#start(child);
    this.#list.push(child);
    return child.pid as unknown as Pid;
  }

  async terminateChild(id: string | Pid): Promise<void> {
    const child = this.#find(id);
    await this.#stop(child);
    if (child.spec.restart === "temporary") this.#forget(child);
  }

  async restartChild(id: string): Promise<Pid> {
    const child = this.#find(id);
    if (child.pid !== undefined) {
      throw new FoundationError("child_exists", `child '${child.spec.id}' is running`);
    }
    if (child.state === "restarting") throw restartingError(child.spec.id);
    await this.#start(child);
    return child.pid as unknown as Pid;
  }

  deleteChild(id: string): void {
    const child = this.#find(id);
    if (child.pid !== undefined) {
      const text = `child '${child.spec.id}' is running; terminate it first`;
      throw new FoundationError("child_exists", text);
    }
    if (child.state === "restarting") throw restartingError(child.spec.id);
    this.#forget(child);
  }

  whichChildren(): ChildInfo[] {
    return this.#list.map(({ spec: { id, restart, isSupervisor }, pid, state, restarts }) => {
      return { id, pid, state, restart, isSupervisor, restarts };
    });
  }

  countChildren(): ChildCounts {
    const supervisors = this.#list.filter(({ spec }) => spec.isSupervisor).length;
    return {
      specs: this.#list.length,
      running: this.#list.filter(({ pid }) => pid !== undefined).length,
      supervisors,
      workers: this.#list.length - supervisors,
    };
  }

  #find(id: string | Pid): Child {
    const child = this.#list.find(({ spec, pid }) => {
      return typeof id === "string" ? spec.id === id : pid?.equals(id);
    });
    if (child !== undefined) return child;
    throw new FoundationError("unknown_child", `there is no child ${id}`);
  }
}
