import { type Delivery, noProcessError } from "../envelope.ts";
import type { LightProcess } from "../process.ts";
import type { ProcessBody, Self } from "../process-types.ts";
import type { ProcessRuntime } from "../runtime.ts";
import { SUPERVISOR_DEFAULTS } from "../supervisor-types.ts";
import type { Supervisors } from "../supervisors.ts";
import { Chooser } from "./chooser.ts";
import type { ChooseRequest, ChooseWorker, EcosystemCoordinator } from "./coordinator-types.ts";
import { Crew } from "./crew.ts";
import type { EcosystemPlan } from "./ecosystem-plan.ts";
import {
  ECOSYSTEM_SHUTDOWN_DEFAULTS,
  type EcosystemHealth,
  type EcosystemInfo,
  type EcosystemShutdown,
} from "./ecosystem-types.ts";
import { healthOf } from "./health.ts";
import { type EcosystemCluster, PLACES_LOOK_MS } from "./places.ts";
import { Recycling } from "./recycling.ts";
import { ScalingLoop } from "./scaling-loop.ts";
import { within } from "./waiting.ts";
import { WorkCalls } from "./work-calls.ts";
import { WorkPayloads } from "./work-payloads.ts";
import { WorkPool } from "./work-pool.ts";

/** Tells the process that what comes behind it is not taken any more. */
const CLOSE = Symbol("close");

/** Time as an ecosystem sees it. */
export interface EcosystemClock {
  readonly nowMs: () => number;
  /** CPU time of this process, all its threads. Unit: ms. */
  readonly cpuMs: () => number;
  /** Calls again and again, until what it returns is called. */
  readonly every: (intervalMs: number, look: () => void) => () => void;
}

/** What an ecosystem stands on. */
export interface EcosystemGround {
  readonly runtime: ProcessRuntime;
  readonly supervisors: Supervisors;
  readonly clock: EcosystemClock;
  readonly cluster: EcosystemCluster;
}

/** The process that stands for an ecosystem: takes work, and has a crew do it. */
export class Ecosystem implements ProcessBody<unknown> {
  readonly plan: EcosystemPlan;
  readonly #ground: EcosystemGround;
  readonly #pool: WorkPool;
  readonly #scaling: ScalingLoop;
  readonly #chooser: Chooser | undefined;
  readonly #payloads: WorkPayloads | undefined;
  #crew!: Crew;
  #self!: LightProcess;
  readonly #looks: (() => void)[] = [];
  #shutdown: Promise<EcosystemShutdown> | undefined;

  constructor(plan: EcosystemPlan, ground: EcosystemGround) {
    const { nowMs, cpuMs } = ground.clock;
    this.plan = plan;
    this.#ground = ground;
    this.#chooser = this.#chooserOf(plan);
    this.#payloads =
      plan.memory.memoryStrategy === "sharedBinaries"
        ? new WorkPayloads(plan.memory.sharedMiB)
        : undefined;
    this.#pool = this.#poolOf(plan);
    this.#scaling = new ScalingLoop(plan, this.#pool, {
      nowMs,
      // Workers on other nodes are none of this process's CPU time.
      cpuMs: () => (plan.distribution === undefined ? cpuMs() : undefined),
      add: async () => this.addWorker(),
      remove: async (id, graceMs) => this.removeWorker(id, graceMs),
    });
  }

  #poolOf({ coordinator, memory: { recycle } }: EcosystemPlan): WorkPool {
    const { runtime, clock } = this.#ground;
    const calls = new WorkCalls(runtime, recycle?.aboveMiB !== undefined, this.#payloads);
    const recycling =
      recycle === undefined
        ? undefined
        : new Recycling(recycle, async (id) => this.#crew.recycle(id));
    return new WorkPool(coordinator, {
      call: async (worker, work) => calls.call(worker, work),
      nowMs: clock.nowMs,
      ...(this.#chooser !== undefined && { chooser: this.#chooser }),
      ...(recycling !== undefined && {
        onDone: (...done) => recycling.onDone(...done),
      }),
    });
  }

  #chooserOf({ coordinator }: EcosystemPlan): Chooser | undefined {
    const { kind, choose, timeoutMs, onError } = coordinator;
    if (kind === "rule") return undefined;
    const { runtime } = this.#ground;
    const ask = async (request: ChooseRequest): Promise<unknown> => {
      const pid = this.#crew.coordinator;
      if (pid === undefined) throw noProcessError("that coordinates");
      return runtime.call(pid, request, { timeoutMs });
    };
    const byProcess: (...asked: Parameters<ChooseWorker>) => unknown = async (work, workers) => {
      return ask({ kind: "CHOOSE", work, workers });
    };
    return new Chooser(choose ?? byProcess, (error) => {
      // Behind the handler that asked: whoever called it is told the reason.
      if (onError === "end") queueMicrotask(() => this.#self.end(error));
    });
  }

  // The process.

  async init(self: Self): Promise<void> {
    const { runtime, supervisors, clock, cluster } = this.#ground;
    const { mode, scaling, distribution } = this.plan;
    this.#self = self as LightProcess;
    const payloads = this.#payloads;
    const ground = { runtime, supervisors, cluster, payloads, nowMs: clock.nowMs };
    this.#crew = new Crew(this.plan, ground, this.#pool, this.#self);
    runtime.watch(self.pid, () => {
      this.#stopLooking();
      payloads?.end();
    });
    if (distribution !== undefined) this.#every(PLACES_LOOK_MS, async () => this.#crew.look());
    await this.#crew.begin();
    if (mode !== "fixed") this.#every(scaling.lookEveryMs, async () => this.#look());
  }

  #every(intervalMs: number, look: () => Promise<void>): void {
    this.#looks.push(this.#ground.clock.every(intervalMs, () => void look()));
  }

  #stopLooking(): void {
    for (const stop of this.#looks.splice(0)) stop();
  }

  handle(message: unknown, _self: Self, { kind, from }: Delivery): unknown {
    if (message === CLOSE) return this.#pool.close();
    return this.#pool.accept(kind, message, from);
  }

  async terminate(): Promise<void> {
    this.#crew.release(); // the process ends with its own reason
    this.#pool.close();
    await this.shutdown(ECOSYSTEM_SHUTDOWN_DEFAULTS.graceMs);
  }

  async #look(): Promise<void> {
    if (this.#shutdown === undefined) await this.#scaling.look();
  }

  /** See `Ecosystems.addWorker`. */
  async addWorker(): Promise<string> {
    return this.#crew.add();
  }

  /** See `Ecosystems.removeWorker`. */
  async removeWorker(id: string, graceMs: number): Promise<void> {
    return this.#crew.remove(id, graceMs);
  }

  // What is asked about it.

  info(): EcosystemInfo {
    const { topology, memory, coordinator, supervision, min, max } = this.plan;
    return {
      pid: this.#self.pid,
      topology,
      memoryStrategy: memory.memoryStrategy,
      gcStrategy: memory.gcStrategy,
      sharing: this.#payloads?.counts(),
      dispatch: coordinator.rule,
      coordinator: this.#coordinator(),
      strategy: supervision.strategy ?? (SUPERVISOR_DEFAULTS.strategy as "oneForOne"),
      faultTolerance: this.plan.faultTolerance,
      healings: this.#crew.healings,
      workersMin: min,
      workersMax: max,
      workers: this.#pool.workers(),
      queue: this.#pool.queue(),
      counts: { ...this.#pool.counts },
      scaling: this.#scaling.report(),
      distribution: this.#crew.distribution,
    };
  }

  #coordinator(): EcosystemCoordinator {
    const { asked = 0, errors = 0, lastError } = this.#chooser?.counts ?? {};
    const { kind } = this.plan.coordinator;
    return { kind, pid: this.#crew.coordinator, asked, errors, lastError };
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
    const { nowMs } = this.#ground.clock;
    const untilMs = nowMs() + graceMs;
    this.#stopLooking();
    this.#self.refuse();
    this.#self.signal(CLOSE); // behind all that was accepted
    const isDrained = await within(
      graceMs,
      this.#pool.until(() => this.#pool.isOver),
    );
    const abandoned = isDrained ? 0 : this.#pool.outstanding + this.#unread();
    this.#pool.close();
    const leftMs = !isDrained ? 0 : Math.max(0, untilMs - nowMs());
    return { isDrained, abandoned, ...(await this.#crew.stop(leftMs)) };
  }
}
