import { AutoScaler } from "./auto-scaler.ts";
import { Barrier } from "./barrier.ts";
import { Evidence } from "./evidence.ts";
import { judgeLess, judgeMore } from "./scaling-judgement.ts";
import {
  type EcosystemScaling,
  type EcosystemScalingOptions,
  SCALING_DECISIONS_MAX,
  type Scaler,
  type ScalingDecision,
  type ScalingLook,
  type ScalingVerdict,
} from "./scaling-types.ts";

/** A change that is being judged. */
interface Trial {
  readonly decision: ScalingDecision;
  readonly direction: 1 | -1;
  settleLooks: number;
}

/**
 * Changes the number of workers by the queue delay, measures what each change does, and undoes
 * those that made things worse; it does not try them again for a while. No clock but the looks'.
 */
export class AdaptiveScaler implements Scaler {
  readonly #options: Required<EcosystemScalingOptions>;
  readonly #min: number;
  readonly #max: number;
  readonly #wish: AutoScaler;
  readonly #evidence: Evidence;
  readonly #ceiling: Barrier;
  readonly #floor: Barrier;
  readonly #decisions: ScalingDecision[] = [];
  #trial: Trial | undefined;
  /** The last size that was gone down to, and when. */
  #lastLess: { readonly to: number; readonly atMs: number } | undefined;
  /** How many the next look should find. */
  #workers: number | undefined;
  #highLooks = 0;

  constructor(options: Required<EcosystemScalingOptions>, min: number, max: number) {
    this.#options = options;
    this.#min = min;
    this.#max = max;
    this.#wish = new AutoScaler(options, min, max);
    this.#evidence = new Evidence(options.evidenceLooks);
    this.#ceiling = new Barrier(options.rememberMs);
    this.#floor = new Barrier(options.rememberMs);
  }

  decide(look: ScalingLook): -1 | 0 | 1 {
    const wish = this.#wish.decide(look);
    this.#highLooks = look.delayMs >= this.#options.highDelayMs ? this.#highLooks + 1 : 0;
    if (look.workers !== this.#workers) return this.#begin(look);
    if (this.#trial !== undefined) return this.#watch(this.#trial, look, wish);
    this.#evidence.add(look);
    return this.#start(look, wish);
  }

  report(nowMs: number): Pick<EcosystemScaling, "decisions" | "ceiling" | "floor"> {
    return {
      decisions: [...this.#decisions],
      ceiling: this.#ceiling.at(nowMs),
      floor: this.#floor.at(nowMs),
    };
  }

  /** The number is another one than it left behind: what was measured says nothing of it. */
  #begin(look: ScalingLook): 0 | 1 {
    if (this.#trial !== undefined) {
      this.#close(this.#trial, "abandoned", `there were ${look.workers} workers in the end`);
    }
    this.#workers = look.workers;
    this.#evidence.restart(look);
    return this.#repair(look);
  }

  /** Fewer than `min` are too few whatever is measured. */
  #repair({ workers }: ScalingLook): 0 | 1 {
    if (workers >= this.#min) return 0;
    this.#workers = workers + 1;
    return 1;
  }

  #start(look: ScalingLook, wish: -1 | 0 | 1): -1 | 0 | 1 {
    const { nowMs, workers } = look;
    if (workers < this.#min) return this.#repair(look);
    if (this.#isWanted(look)) return this.#try(look, 1);
    const floor = this.#floor.at(nowMs);
    const isFree = floor === undefined || workers - 1 > floor;
    return wish < 0 && this.#evidence.isFull && isFree ? this.#try(look, -1) : 0;
  }

  /** Whether one more is: work has waited in all looks that its effect will be compared with. */
  #isWanted({ nowMs, workers }: ScalingLook): boolean {
    const { highDelayMs, upAfterLooks } = this.#options;
    const ceiling = this.#ceiling.at(nowMs);
    const isFree = workers < this.#max && (ceiling === undefined || workers + 1 < ceiling);
    const isLong = this.#highLooks >= upAfterLooks;
    return isFree && isLong && this.#evidence.isAtLeast(highDelayMs);
  }

  #try(look: ScalingLook, direction: 1 | -1): 1 | -1 {
    const { nowMs, workers } = look;
    if (direction > 0) this.#regret(look);
    const to = workers + direction;
    const decision: ScalingDecision = {
      atMs: nowMs,
      from: workers,
      to,
      before: this.#evidence.figures(),
      after: undefined,
      verdict: "measuring",
      reason: direction > 0 ? "work waits" : "a worker is idle",
    };
    if (direction < 0) this.#lastLess = { to, atMs: nowMs };
    this.#decisions.push(decision);
    if (this.#decisions.length > SCALING_DECISIONS_MAX) this.#decisions.shift();
    this.#trial = { decision, direction, settleLooks: this.#options.settleLooks };
    this.#workers = to;
    this.#evidence.restart(look);
    return direction;
  }

  /** One more soon after there was one less: that one was wrong, though it was kept. */
  #regret({ nowMs, workers }: ScalingLook): void {
    const last = this.#lastLess;
    if (last?.to !== workers || nowMs - last.atMs > this.#options.rememberMs) return;
    this.#floor.raise(workers, nowMs);
  }

  #watch(trial: Trial, look: ScalingLook, wish: -1 | 0 | 1): -1 | 0 | 1 {
    if (trial.settleLooks > 0) {
      trial.settleLooks--;
      this.#evidence.restart(look);
      return 0;
    }
    this.#evidence.add(look);
    // Who waits for one that was ended does not wait for the end of the measurement.
    const isTooFew = trial.direction < 0 && wish > 0;
    if (!this.#evidence.isFull && !isTooFew) return 0;
    const { before } = trial.decision;
    const after = this.#evidence.figures();
    const { verdict, reason } = isTooFew
      ? ({ verdict: "reverted", reason: "work waited longer" } as const)
      : trial.direction > 0
        ? judgeMore(before, after, this.#options)
        : judgeLess(after, this.#options);
    this.#close(trial, verdict, reason);
    return verdict === "kept" ? this.#keep(trial) : this.#revert(trial, look);
  }

  #keep({ direction, decision }: Trial): 0 {
    if (direction > 0) this.#ceiling.lower(decision.to);
    return 0;
  }

  #revert({ direction, decision }: Trial, look: ScalingLook): 1 | -1 {
    (direction > 0 ? this.#ceiling : this.#floor).raise(decision.to, look.nowMs);
    this.#workers = decision.from;
    this.#evidence.restart(look);
    return direction > 0 ? -1 : 1;
  }

  #close({ decision }: Trial, verdict: ScalingVerdict, reason: string): void {
    const after = verdict === "abandoned" ? undefined : this.#evidence.figures();
    const index = this.#decisions.indexOf(decision);
    if (index >= 0) this.#decisions[index] = { ...decision, after, verdict, reason };
    this.#trial = undefined;
  }
}
