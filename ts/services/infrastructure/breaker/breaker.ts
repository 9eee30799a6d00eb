import type { BreakerOutcome, BreakerPlan } from "./breaker-options.ts";

/** What a breaker does with calls: lets all through, none, or a few to try. */
export type BreakerStatus = "closed" | "open" | "half_open";

/** The leave to make one call; handed back with what became of it. */
export type Permit = number;

/** Counts of a breaker since it was started. Unit of each: calls, or times for `opened`. */
export interface BreakerCounts {
  readonly admitted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly opened: number;
}

/**
 * The state of one circuit breaker, without clock, timer or function: whoever drives it says what
 * time it is. Times are in ms and never go back.
 *
 * Failures count by the time at which they are reported. As in `fuse`, a success forgives none:
 * only time does. Closed again, it has forgotten all of them.
 */
export class Breaker {
  readonly plan: BreakerPlan;
  readonly #onChange: (status: BreakerStatus) => void;
  readonly #counts = { admitted: 0, succeeded: 0, failed: 0, ignored: 0, rejected: 0, opened: 0 };
  /** Times of the latest failures, oldest first; at most one more than are borne. */
  #failures: number[] = [];
  #status: BreakerStatus = "closed";
  /** When an open breaker lets calls through again, or when half-open probes count as lost. */
  #untilMs = 0;
  #probing = 0;
  #probesPassed = 0;
  /** Grows with every change of state: tells what was admitted in the present one. */
  #era = 1;

  /**
   * `onChange` hears of every change but that of `reset`, when a call or a look brings it about.
   */
  constructor(plan: BreakerPlan, onChange: (status: BreakerStatus) => void = () => {}) {
    this.plan = plan;
    this.#onChange = onChange;
  }

  /** Counts since it was started. */
  get counts(): BreakerCounts {
    return { ...this.#counts };
  }

  /** What it does with calls at that time. */
  status(nowMs: number): BreakerStatus {
    if (this.#status === "open" && nowMs >= this.#untilMs) {
      this.#enter(this.plan.halfOpen === undefined ? "closed" : "half_open", nowMs);
    }
    return this.#status;
  }

  /** Failures that count at that time. */
  failures(nowMs: number): number {
    this.#forget(nowMs);
    return this.#failures.length;
  }

  /** How long it stays open. Unit: ms; 0 where it is not. */
  opensInMs(nowMs: number): number {
    return this.status(nowMs) === "open" ? this.#untilMs - nowMs : 0;
  }

  /** Leave for one call, or undefined where it is refused. Every permit has to be settled. */
  admit(nowMs: number): Permit | undefined {
    const status = this.status(nowMs);
    if (status === "open" || (status === "half_open" && !this.#hasProbeFree(nowMs))) {
      this.#counts.rejected += 1;
      return undefined;
    }
    if (status === "half_open") this.#probing += 1;
    this.#counts.admitted += 1;
    return this.#era;
  }

  /** Takes in what became of an admitted call. */
  settle(permit: Permit, outcome: BreakerOutcome, nowMs: number): void {
    if (outcome === "success") this.#counts.succeeded += 1;
    else if (outcome === "failure") this.#counts.failed += 1;
    else this.#counts.ignored += 1;
    const status = this.status(nowMs);
    if (status === "closed" && outcome === "failure") this.#fail(nowMs);
    // What was admitted in an earlier era says nothing about the service as it is now.
    if (status !== "half_open" || permit !== this.#era) return;
    this.#probing = Math.max(0, this.#probing - 1);
    if (outcome === "failure") this.#enter("open", nowMs);
    if (outcome !== "success") return;
    this.#probesPassed += 1;
    if (this.#probesPassed >= (this.plan.halfOpen?.successes ?? 1)) this.#enter("closed", nowMs);
  }

  /** Counts a failure that was no call of it. */
  melt(nowMs: number): void {
    const status = this.status(nowMs);
    if (status === "closed") this.#fail(nowMs);
    else if (status === "half_open") this.#enter("open", nowMs);
  }

  /** Closes it and forgets all failures. */
  reset(): void {
    this.#begin("closed", 0);
  }

  /** Probes that never end do not keep it half open for ever: others may try after a while. */
  #hasProbeFree(nowMs: number): boolean {
    if (this.#probing < (this.plan.halfOpen?.calls ?? 0)) return true;
    if (nowMs < this.#untilMs) return false;
    this.#probing = 0;
    this.#untilMs = nowMs + this.plan.refreshMs;
    return true;
  }

  #fail(nowMs: number): void {
    this.#forget(nowMs);
    this.#failures.push(nowMs);
    if (this.#failures.length > this.plan.tolerance) this.#enter("open", nowMs);
  }

  #forget(nowMs: number): void {
    const failures = this.#failures;
    const oldestMs = nowMs - this.plan.windowMs;
    let stale = 0;
    while (stale < failures.length && (failures[stale] as number) <= oldestMs) stale += 1;
    if (stale > 0) this.#failures = failures.slice(stale);
  }

  #enter(status: BreakerStatus, nowMs: number): void {
    if (status === "open") this.#counts.opened += 1;
    this.#begin(status, nowMs + this.plan.refreshMs);
    this.#onChange(status);
  }

  #begin(status: BreakerStatus, untilMs: number): void {
    this.#status = status;
    this.#untilMs = untilMs;
    this.#era += 1;
    this.#failures = [];
    this.#probing = 0;
    this.#probesPassed = 0;
  }
}
