import { ModelTimers } from "./model-timers.ts";

/** A child as the model is told of it. */
export interface Spec {
  readonly id: string;
  readonly restart: "permanent" | "transient" | "temporary";
  readonly isTrapping: boolean;
  readonly shutdown: "kill" | "infinity";
}

/** A child of the model. */
export interface Kept {
  readonly spec: Spec;
  isRunning: boolean;
  /** How it ended, until its supervisor has heard of it. */
  ended: string | undefined;
  /** While it waits for its back-off. */
  timer: number | undefined;
}

/** How a supervisor of the model works. */
export interface Rules {
  readonly strategy: "oneForOne" | "oneForAll" | "restForOne";
  readonly restartsMax: number;
  readonly withinMs: number;
  readonly backoff:
    | { readonly firstMs: number; readonly maxMs: number; readonly factor: number }
    | undefined;
}

/** What OTP says of a supervisor, with lists for processes: `log` has what it does, in order. */
export class SupervisorModel {
  readonly log: string[] = [];
  readonly children: Kept[] = [];
  /** How many of the next starts of a child fail. */
  readonly failures = new Map<string, number>();
  readonly timers = new ModelTimers();
  isAlive = true;
  readonly #rules: Rules;
  #restartedAtMs: number[] = [];
  #waits = 0;
  /** Children whose back-off is over, in that order. */
  readonly #due: { readonly child: Kept; readonly timer: number }[] = [];

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** Starts the first children; false: one did not start, and the others are ended again. */
  begin(specs: readonly Spec[]): boolean {
    this.children.push(...specs.map(kept));
    this.isAlive = this.children.every((child) => this.#start(child));
    if (!this.isAlive) this.#stopAll(this.children);
    return this.isAlive;
  }

  /** A child ends by itself. */
  die(child: Kept, reason: string): void {
    this.log.push(`-${child.spec.id} ${reason}`);
    child.isRunning = false;
    child.ended = reason;
  }

  /** The supervisor hears of the ends, in their order. */
  hear(ended: readonly Kept[], nowMs: number): void {
    for (const child of ended) {
      const { ended: reason, spec } = child;
      if (!this.isAlive || reason === undefined) continue; // it was stopped or started meanwhile
      child.ended = undefined;
      const isWanted = reason === "normal" || reason === "shutdown";
      if (spec.restart === "temporary") this.#forget(child);
      else if (spec.restart === "permanent" || !isWanted) this.#plan(child, nowMs);
    }
  }

  #plan(child: Kept, nowMs: number): void {
    const { restartsMax, withinMs, backoff } = this.#rules;
    const lastMs = this.#restartedAtMs.at(-1) ?? Number.NEGATIVE_INFINITY;
    const recent = this.#restartedAtMs.filter((atMs) => nowMs - atMs <= withinMs);
    this.#restartedAtMs = [...recent, nowMs];
    if (this.#restartedAtMs.length > restartsMax) return this.end();
    if (backoff === undefined) return this.#restart(child, nowMs);
    this.#waits = nowMs - lastMs > withinMs ? 0 : this.#waits + 1;
    const delayMs = Math.min(backoff.maxMs, backoff.firstMs * backoff.factor ** this.#waits);
    const timer = this.timers.start(delayMs, () => this.#due.push({ child, timer }));
    child.timer = timer;
  }

  /** Time has passed. */
  advance(ms: number, nowMs: number): void {
    this.timers.advance(ms);
    for (const { child, timer } of this.#due.splice(0)) {
      // Unless it was stopped meanwhile, or has another wait by now.
      if (this.isAlive && child.timer === timer) this.#restart(child, nowMs);
    }
  }

  #restart(child: Kept, nowMs: number): void {
    child.timer = undefined;
    const concerned = this.#concerned(child);
    this.#stopAll(concerned.filter((other) => other !== child));
    const failed = concerned.find((other) => this.children.includes(other) && !this.#start(other));
    if (failed !== undefined) this.#plan(failed, nowMs);
  }

  #concerned(child: Kept): Kept[] {
    if (this.#rules.strategy === "oneForOne") return [child];
    if (this.#rules.strategy === "oneForAll") return [...this.children];
    return this.children.slice(this.children.indexOf(child));
  }

  /** It ends itself, with `shutdown`. */
  end(): void {
    this.isAlive = false;
    this.#stopAll(this.children);
    this.log.push("end shutdown");
  }

  #start(child: Kept): boolean {
    const failures = this.failures.get(child.spec.id) ?? 0;
    if (failures > 0) {
      this.failures.set(child.spec.id, failures - 1);
      this.log.push(`!${child.spec.id}`);
      return false;
    }
    this.log.push(`+${child.spec.id}`);
    child.isRunning = true;
    return true;
  }

  #stop(child: Kept): void {
    const { id, shutdown } = child.spec;
    if (child.isRunning) this.log.push(`-${id} ${shutdown === "kill" ? "killed" : "shutdown"}`);
    child.isRunning = false;
    child.ended = undefined;
    if (child.timer !== undefined) this.timers.cancel(child.timer);
    child.timer = undefined;
  }

  #stopAll(children: readonly Kept[]): void {
    for (const child of children.toReversed()) this.terminateChild(child);
  }

  #forget(child: Kept): void {
    this.children.splice(this.children.indexOf(child), 1);
  }

  // What its callers ask: what it is refused for, or undefined.

  /** Adds a child behind the others. */
  startChild(spec: Spec): string | undefined {
    if (this.children.some((child) => child.spec.id === spec.id)) return "child_exists";
    const child = kept(spec);
    if (!this.#start(child)) return "init_failed";
    this.children.push(child);
    return undefined;
  }

  /** Ends a child. */
  terminateChild(child: Kept): undefined {
    this.#stop(child);
    if (child.spec.restart === "temporary") this.#forget(child);
    return undefined;
  }

  /** Starts a child that does not run. */
  restartChild(child: Kept): string | undefined {
    if (child.isRunning) return "child_exists";
    if (child.timer !== undefined) return "child_restarting";
    return this.#start(child) ? undefined : "init_failed";
  }

  /** Forgets a child that does not run. */
  deleteChild(child: Kept): string | undefined {
    if (child.isRunning) return "child_exists";
    if (child.timer !== undefined) return "child_restarting";
    this.#forget(child);
    return undefined;
  }
}

function kept(spec: Spec): Kept {
  return { spec, isRunning: false, ended: undefined, timer: undefined };
}
