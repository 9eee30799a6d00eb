import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { ChildOptions } from "../child-spec.ts";
import type { Delivery } from "../envelope.ts";
import type { LightProcess } from "../process.ts";
import type { ProcessBody, Self } from "../process-types.ts";
import type { ProcessRuntime } from "../runtime.ts";
import { startProcess } from "../start-process.ts";
import { supervisor } from "../supervisor.ts";
import { SUPERVISOR_DEFAULTS } from "../supervisor-types.ts";
import type { Supervisors } from "../supervisors.ts";
import { AutoScaler } from "./auto-scaler.ts";
import type { EcosystemPlan } from "./ecosystem-plan.ts";
import {
  ECOSYSTEM_SHUTDOWN_DEFAULTS,
  type EcosystemHealth,
  type EcosystemInfo,
  type EcosystemShutdown,
} from "./ecosystem-types.ts";
import { healthOf } from "./health.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import { WorkPool } from "./work-pool.ts";

/** A longer wait than Node's timers know is one without an end. Unit: ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Tells the process that what comes behind it is not taken any more. */
const CLOSE = Symbol("close");

/** Time as an ecosystem sees it. */
export interface EcosystemClock {
  readonly nowMs: () => number;
  /** Calls again and again, until what it returns is called. */
  readonly every: (intervalMs: number, look: () => void) => () => void;
}

/** What an ecosystem stands on. */
export interface EcosystemGround {
  readonly runtime: ProcessRuntime;
  readonly supervisors: Supervisors;
  readonly clock: EcosystemClock;
}

/** The process that stands for an ecosystem: takes work, and has a supervisor keep the workers. */
export class Ecosystem implements ProcessBody<unknown> {
  readonly plan: EcosystemPlan;
  readonly #ground: EcosystemGround;
  readonly #pool: WorkPool;
  readonly #scaler: AutoScaler | undefined;
  #neighbourhood!: Neighbourhood;
  #self!: LightProcess;
  #supervisor!: Pid;
  #serial = 0;
  #stopLooking: () => void = () => {};
  #isChanging = false;
  #scalingError: unknown;
  #shutdown: Promise<EcosystemShutdown> | undefined;

  constructor(plan: EcosystemPlan, ground: EcosystemGround) {
    const { coordinator, scaling, min, max, isScaling } = plan;
    this.plan = plan;
    this.#ground = ground;
    this.#pool = new WorkPool(coordinator, {
      // How long work may take is the caller's to say.
      call: async (worker, work) => {
        return ground.runtime.call(worker, work, { timeoutMs: Number.POSITIVE_INFINITY });
      },
      nowMs: ground.clock.nowMs,
    });
    if (isScaling) this.#scaler = new AutoScaler(scaling, min, max);
  }

  // The process.

  async init(self: Self): Promise<void> {
    const { runtime, clock } = this.#ground;
    const { supervision, first, topology, scaling } = this.plan;
    this.#self = self as LightProcess;
    this.#neighbourhood = new Neighbourhood(runtime, self.pid, topology);
    const children = Array.from({ length: first }, () => this.#child());
    const parent = { process: this.#self, pid: self.pid };
    const blueprint = supervisor({ children, ...supervision });
    const options = { label: "EcosystemSupervisor" };
    this.#supervisor = await startProcess(runtime, blueprint, options, parent);
    this.#neighbourhood.begin(this.#pool.members);
    runtime.watch(self.pid, () => this.#stopLooking());
    if (this.#scaler === undefined) return;
    this.#stopLooking = clock.every(scaling.lookEveryMs, () => void this.#look());
  }

  handle(message: unknown, _self: Self, { kind, from }: Delivery): unknown {
    if (message === CLOSE) return this.#pool.close();
    return this.#pool.accept(kind, message, from);
  }

  async terminate(): Promise<void> {
    this.#self.unlink(this.#supervisor); // the process ends with its own reason
    this.#pool.close();
    await this.shutdown(ECOSYSTEM_SHUTDOWN_DEFAULTS.graceMs);
  }

  // Workers.

  #child(): ChildOptions {
    const id = `worker-${++this.#serial}`;
    return { id, startWith: async (parent) => this.#startWorker(id, parent as LightProcess) };
  }

  async #startWorker(id: string, parent: LightProcess): Promise<Pid> {
    const { runtime } = this.#ground;
    const { start, args } = this.plan;
    const pid = await startProcess(runtime, start, { args }, { process: parent, pid: parent.pid });
    runtime.watch(pid, () => {
      this.#pool.down(id, pid);
      this.#neighbourhood.tell(this.#pool.members);
    });
    this.#pool.up(id, pid);
    this.#neighbourhood.tell(this.#pool.members);
    return pid;
  }

  /** Starts one more; answers with its id. */
  async addWorker(): Promise<string> {
    if (this.#pool.members.length >= this.plan.max) {
      const text = `the ecosystem has its ${this.plan.max} workers`;
      throw new FoundationError("too_many_children", text);
    }
    const child = this.#child();
    await this.#ground.supervisors.startChild(this.#supervisor, child);
    return child.id;
  }

  /** Ends one once it has done what it has; after `graceMs` others do that. */
  async removeWorker(id: string, graceMs: number): Promise<void> {
    const { supervisors } = this.#ground;
    const member = this.#pool.member(id);
    if (member === undefined || member.isDraining) {
      throw new FoundationError("unknown_child", `there is no worker '${id}'`);
    }
    const staying = this.#pool.members.filter(({ isDraining }) => !isDraining).length;
    if (staying <= this.plan.min) {
      const text = `the ecosystem keeps ${this.plan.min} workers (\`workers.min\`)`;
      throw new FoundationError("invalid_options", text);
    }
    member.isDraining = true;
    this.#neighbourhood.tell(this.#pool.members);
    await within(
      graceMs,
      this.#pool.until(() => member.inFlight.size === 0),
    );
    await supervisors.terminateChild(this.#supervisor, id);
    await supervisors.deleteChild(this.#supervisor, id);
    this.#pool.forget(id);
  }

  // Scaling.

  async #look(): Promise<void> {
    if (this.#isChanging || this.#shutdown !== undefined) return;
    const workers = this.#pool.workers().filter(({ state }) => state !== "draining");
    const idle = workers.filter(({ state, inFlight }) => state === "up" && inFlight === 0);
    const { oldestMs } = this.#pool.queue();
    const delayMs = Math.max(oldestMs, this.#pool.delays.takeMeanMs());
    const look = { delayMs, workers: workers.length, idle: idle.length };
    const change = this.#scaler?.decide(look) ?? 0;
    if (change === 0) return;
    this.#isChanging = true;
    try {
      if (change > 0) await this.addWorker();
      else await this.removeWorker(idle.at(-1)?.id ?? "", ECOSYSTEM_SHUTDOWN_DEFAULTS.graceMs);
      this.#scalingError = undefined;
    } catch (thrown) {
      this.#scalingError = thrown;
    } finally {
      this.#isChanging = false;
    }
  }

  // What is asked about it.

  info(): EcosystemInfo {
    const { topology, memoryStrategy, coordinator, supervision, isScaling, min, max } = this.plan;
    return {
      pid: this.#self.pid,
      topology,
      memoryStrategy,
      dispatch: coordinator.dispatch,
      strategy: supervision.strategy ?? (SUPERVISOR_DEFAULTS.strategy as "oneForOne"),
      isScaling,
      workersMin: min,
      workersMax: max,
      workers: this.#pool.workers(),
      queue: this.#pool.queue(),
      counts: { ...this.#pool.counts },
      scalingError: this.#scalingError,
    };
  }

  health(): EcosystemHealth {
    return healthOf({
      workers: this.#pool.workers(),
      queue: this.#pool.queue(),
      highDelayMs: this.plan.scaling.highDelayMs,
    });
  }

  // Ending.

  /** Takes no more work, finishes what there is, ends the workers; kills what is left of them. */
  async shutdown(graceMs: number): Promise<EcosystemShutdown> {
    this.#shutdown ??= this.#end(graceMs);
    return this.#shutdown;
  }

  /** Work that waits in its mailbox, without the message that closes it. */
  #unread(): number {
    return Math.max(0, this.#self.info().mailbox.messages - 1);
  }

  async #end(graceMs: number): Promise<EcosystemShutdown> {
    const { runtime, clock } = this.#ground;
    const untilMs = clock.nowMs() + graceMs;
    this.#stopLooking();
    this.#self.signal(CLOSE); // behind all that was accepted
    const isDrained = await within(
      graceMs,
      this.#pool.until(() => this.#pool.isOver),
    );
    const abandoned = isDrained ? 0 : this.#pool.outstanding + this.#unread();
    this.#pool.close();
    const ended = new Promise<void>((resolve) => runtime.watch(this.#supervisor, () => resolve()));
    runtime.stop(this.#supervisor, "shutdown");
    const leftMs = !isDrained ? 0 : Math.max(0, untilMs - clock.nowMs());
    const isOver = await within(leftMs, ended);
    const late = isOver ? [] : this.#pool.workers().filter(({ pid }) => pid !== undefined);
    for (const { pid } of late) runtime.exit(this.#self.pid, pid as Pid, "kill");
    await ended;
    return { isDrained, abandoned, killed: late.length };
  }
}

/** Whether a promise resolves within a time. */
async function within(limitMs: number, promise: Promise<void>): Promise<boolean> {
  let late: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    if (limitMs <= TIMER_MAX_MS) late = setTimeout(() => resolve(false), limitMs);
  });
  const isOver = await Promise.race([promise.then(() => true), timeout]);
  clearTimeout(late);
  return isOver;
}
