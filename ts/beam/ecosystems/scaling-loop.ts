import { AdaptiveScaler } from "./adaptive-scaler.ts";
import { AutoScaler } from "./auto-scaler.ts";
import type { EcosystemPlan } from "./ecosystem-plan.ts";
import { ECOSYSTEM_SHUTDOWN_DEFAULTS } from "./ecosystem-types.ts";
import type { EcosystemScaling, Scaler } from "./scaling-types.ts";
import type { WorkPool } from "./work-pool.ts";

/** What scaling needs of its ecosystem. */
export interface ScalingWays {
  readonly nowMs: () => number;
  /** CPU time of this process; undefined where it does not tell what workers use. Unit: ms. */
  readonly cpuMs: () => number | undefined;
  readonly add: () => Promise<unknown>;
  readonly remove: (id: string, graceMs: number) => Promise<void>;
}

/** Looks at the work of an ecosystem and changes the number of its workers. */
export class ScalingLoop {
  readonly #mode: EcosystemScaling["mode"];
  readonly #scaler: Scaler | undefined;
  readonly #pool: WorkPool;
  readonly #ways: ScalingWays;
  #isChanging = false;
  #error: unknown;

  constructor({ scaling, mode, min, max }: EcosystemPlan, pool: WorkPool, ways: ScalingWays) {
    this.#mode = mode;
    this.#pool = pool;
    this.#ways = ways;
    if (mode === "autoScale") this.#scaler = new AutoScaler(scaling, min, max);
    if (mode === "adaptive") this.#scaler = new AdaptiveScaler(scaling, min, max);
  }

  /** What it has done, and whether it could. */
  report(): EcosystemScaling {
    const known = this.#scaler?.report(this.#ways.nowMs());
    const { decisions = [], ceiling, floor } = known ?? {};
    return { mode: this.#mode, error: this.#error, decisions, ceiling, floor };
  }

  /** One look, and what it leads to. One that comes while workers change is left out. */
  async look(): Promise<void> {
    if (this.#isChanging) return;
    const workers = this.#pool.workers().filter(({ state }) => state !== "draining");
    const idle = workers.filter(({ state, inFlight }) => state === "up" && inFlight === 0);
    const { oldestMs } = this.#pool.queue();
    const change = this.#scaler?.decide({
      nowMs: this.#ways.nowMs(),
      delayMs: Math.max(oldestMs, this.#pool.delays.takeMeanMs()),
      workers: workers.length,
      idle: idle.length,
      completed: this.#pool.counts.completed,
      cpuMs: this.#ways.cpuMs(),
    });
    if (change === undefined || change === 0) return;
    this.#isChanging = true;
    const last = (idle.at(-1) ?? workers.at(-1))?.id ?? "";
    try {
      if (change > 0) await this.#ways.add();
      else await this.#ways.remove(last, ECOSYSTEM_SHUTDOWN_DEFAULTS.graceMs);
      this.#error = undefined;
    } catch (thrown) {
      this.#error = thrown;
    } finally {
      this.#isChanging = false;
    }
  }
}
