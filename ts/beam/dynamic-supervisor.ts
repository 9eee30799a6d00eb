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
import { answerSupervisorCall, RestartDue, type Supervising } from "./supervisor-calls.ts";
import type { ChildCounts, ChildInfo, DynamicSupervisionOptions } from "./supervisor-types.ts";
import type { TimerRef } from "./timers.ts";

/** What it does; how its process is started is said where it is. */
export const DYNAMIC_SUPERVISION_KEYS = ["intensity", "backoff", "childrenMax"] as const;

interface Child {
  readonly spec: ChildSpec;
  pid: Pid | undefined;
  restarts: number;
  /** While it waits for its back-off. */
  timer: TimerRef | undefined;
}

/**
 * A supervisor of children that are started as they are needed, any number of one kind or of many.
 * Each is restarted on its own; ids need not differ, and children that end for good are forgotten.
 *
 * @throws FoundationError `invalid_options`
 */
export function dynamicSupervisor(options: DynamicSupervisionOptions = {}): Blueprint {
  checkKeys("the options of a dynamic supervisor", options, DYNAMIC_SUPERVISION_KEYS);
  const { intensity, backoff, childrenMax = Number.POSITIVE_INFINITY } = options;
  if (!(childrenMax >= 1)) {
    throw new FoundationError("invalid_options", "childrenMax must be at least 1");
  }
  new Restarts(intensity, backoff);
  return Object.freeze({
    label: "DynamicSupervisor",
    isSupervisor: true,
    make: (_args: readonly unknown[], parent: Pid | undefined): ProcessBody<never> => {
      const restarts = new Restarts(intensity, backoff);
      return new DynamicSupervisorBody(restarts, childrenMax, parent) as ProcessBody<never>;
    },
  });
}

class DynamicSupervisorBody implements ProcessBody<unknown>, Supervising {
  readonly #restarts: Restarts;
  readonly #childrenMax: number;
  readonly #parent: Pid | undefined;
  /** By the text of the pid, or by what will tell that its back-off is over. */
  readonly #byKey = new Map<string | RestartDue, Child>();
  #children!: Children;
  #self!: Self;

  constructor(restarts: Restarts, childrenMax: number, parent: Pid | undefined) {
    this.#restarts = restarts;
    this.#childrenMax = childrenMax;
    this.#parent = parent;
  }

  init(self: Self): void {
    self.trapExit = true;
    this.#self = self;
    this.#children = new Children(self);
  }

  handle(message: unknown, self: Self, delivery: Delivery): unknown {
    if (delivery.kind === "call") return answerSupervisorCall(this, message);
    if (message instanceof RestartDue) return this.#restart(message);
    if (!isExit(message)) return undefined;
    if (this.#parent?.equals(message.from) === true) return self.exit(message.reason);
    const key = message.from.toString();
    const child = this.#byKey.get(key);
    if (child === undefined) return undefined;
    this.#byKey.delete(key);
    return this.#onEnd(child, message.reason);
  }

  /** All at once: they do not depend on each other. */
  async terminate(): Promise<void> {
    const children = [...this.#byKey.values()];
    this.#byKey.clear();
    await Promise.all(
      children.map(async ({ pid, spec }) => {
        if (pid !== undefined) await this.#children.stop(pid, spec.shutdownMs);
      }),
    );
  }

  async #onEnd(child: Child, reason: ExitReason): Promise<void> {
    child.pid = undefined;
    const { restart } = child.spec;
    if (restart === "temporary" || (restart === "transient" && isWantedEnd(reason))) return;
    await this.#plan(child);
  }

  async #plan(child: Child): Promise<void> {
    if (this.#children.areAbandoned) return undefined;
    const delayMs = this.#restarts.next(performance.now());
    if (delayMs === undefined) return this.#self.exit("shutdown");
    const due = new RestartDue();
    this.#byKey.set(due, child);
    if (delayMs === 0) return this.#restart(due);
    child.timer = this.#children.noticeAfter(delayMs, due);
    return undefined;
  }

  async #restart(due: RestartDue): Promise<void> {
    const child = this.#byKey.get(due);
    if (child === undefined) return;
    this.#byKey.delete(due);
    child.timer = undefined;
    try {
      child.pid = await this.#children.start(child.spec);
    } catch {
      return this.#plan(child);
    }
    child.restarts++;
    this.#byKey.set(child.pid.toString(), child);
  }

  // What its callers ask.

  async startChild(options: ChildOptions): Promise<Pid> {
    const spec = childSpec(options);
    if (this.#byKey.size >= this.#childrenMax) {
      const text = `the supervisor has its ${this.#childrenMax} children`;
      throw new FoundationError("too_many_children", text);
    }
    const pid = await this.#children.start(spec);
    this.#byKey.set(pid.toString(), { spec, pid, restarts: 0, timer: undefined });
    return pid;
  }

  async terminateChild(id: string | Pid): Promise<void> {
    const found = [...this.#byKey].filter(([key, { spec }]) => {
      return typeof id === "string" ? spec.id === id : key === id.toString();
    });
    if (found.length === 0) {
      throw new FoundationError("unknown_child", `there is no child ${id}`);
    }
    for (const [key, { pid, spec, timer }] of found) {
      this.#byKey.delete(key);
      timer?.cancel();
      if (pid !== undefined) await this.#children.stop(pid, spec.shutdownMs);
    }
  }

  async restartChild(): Promise<Pid> {
    throw new FoundationError(
      "invalid_options",
      "children of a dynamic supervisor are started anew",
    );
  }

  deleteChild(): void {
    throw new FoundationError("invalid_options", "a dynamic supervisor keeps no specs to delete");
  }

  whichChildren(): ChildInfo[] {
    return [...this.#byKey.values()].map(
      ({ spec: { id, restart, isSupervisor }, pid, restarts }) => {
        const state = pid === undefined ? "restarting" : "running";
        return { id, pid, state, restart, isSupervisor, restarts };
      },
    );
  }

  countChildren(): ChildCounts {
    const children = [...this.#byKey.values()];
    const supervisors = children.filter(({ spec }) => spec.isSupervisor).length;
    return {
      specs: children.length,
      running: children.filter(({ pid }) => pid !== undefined).length,
      supervisors,
      workers: children.length - supervisors,
    };
  }
}
