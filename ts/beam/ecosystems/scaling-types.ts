/** When workers are started and ended. Defaults: {@link ECOSYSTEM_SCALING_DEFAULTS}. */
export interface EcosystemScalingOptions {
  /** How often it looks. Unit: ms. */
  readonly lookEveryMs?: number;
  /** Queue delay from which on there are too few workers. Unit: ms. */
  readonly highDelayMs?: number;
  /** Queue delay up to which there may be too many. Unit: ms. */
  readonly lowDelayMs?: number;
  /** Looks in a row with too few before one is started. Unit: looks. */
  readonly upAfterLooks?: number;
  /** Looks in a row with too many, of which one is idle, before one is ended. Unit: looks. */
  readonly downAfterLooks?: number;
  /** Of `adaptive`: looks after a change that are not measured. Unit: looks. */
  readonly settleLooks?: number;
  /** Of `adaptive`: looks that a change is judged by, before and after it. Unit: looks. */
  readonly evidenceLooks?: number;
  /** Of `adaptive`: part of the throughput that a difference has to exceed to be one. */
  readonly toleranceRatio?: number;
  /**
   * Of `adaptive`: how long a change that was undone is not tried again. It doubles with each time
   * in a row, up to 16 times this. Unit: ms.
   */
  readonly rememberMs?: number;
}

/** When workers are started and ended unless the options say otherwise. */
export const ECOSYSTEM_SCALING_DEFAULTS: Required<EcosystemScalingOptions> = Object.freeze({
  lookEveryMs: 1_000, // an isolate starts in 50 ms: its effect shows at the next look
  highDelayMs: 100, // what a person begins to notice
  lowDelayMs: 10, // a tenth: between them nothing changes, so it does not swing
  upAfterLooks: 2, // one burst is no load
  downAfterLooks: 10, // starting costs more than keeping
  settleLooks: 1, // the look that the change fell into
  evidenceLooks: 5, // one burst among them moves the mean by a fifth
  toleranceRatio: 0.1, // equal loads measured twice differ by some percent
  rememberMs: 60_000, // long beside a measurement, short beside a working day
});

/** What an ecosystem did over some looks. */
export interface ScalingFigures {
  readonly looks: number;
  /** Work done. Unit: messages each second. */
  readonly throughputPerSecond: number;
  /** How long work waited for a worker. Unit: ms. */
  readonly delayMs: number;
  /**
   * CPU time of this process, all its threads; undefined where workers live on other nodes. Unit:
   * cores.
   */
  readonly cpuCores: number | undefined;
}

/** What became of a change: it is being judged, stays, was undone, or could not be judged. */
export type ScalingVerdict = "measuring" | "kept" | "reverted" | "abandoned";

/** A change of the number of workers, and what it was judged by. */
export interface ScalingDecision {
  /** When, by the clock that starts with the process. Unit: ms. */
  readonly atMs: number;
  /** Unit: workers. */
  readonly from: number;
  /** Unit: workers. */
  readonly to: number;
  readonly before: ScalingFigures;
  /** Undefined until it was measured. */
  readonly after: ScalingFigures | undefined;
  readonly verdict: ScalingVerdict;
  /** Which figure said so, in words. */
  readonly reason: string;
}

/** Decisions that are kept; older ones are forgotten. */
export const SCALING_DECISIONS_MAX = 64;

/** How an ecosystem finds its number of workers. */
export interface EcosystemScaling {
  /** `fixed`: by nobody but `addWorker` and `removeWorker`. */
  readonly mode: "fixed" | "autoScale" | "adaptive";
  /** Why the last attempt to start or end a worker failed. */
  readonly error: unknown;
  /** Of `adaptive`, the last 64, oldest first. */
  readonly decisions: readonly ScalingDecision[];
  /** Sizes from this one up are not tried for now. Unit: workers. */
  readonly ceiling: number | undefined;
  /** Sizes from this one down are not tried for now. Unit: workers. */
  readonly floor: number | undefined;
}

/** What a scaler sees at one look. */
export interface ScalingLook {
  /** Unit: ms. */
  readonly nowMs: number;
  /** How long work waits for a worker. Unit: ms. */
  readonly delayMs: number;
  /** Unit: workers. */
  readonly workers: number;
  /** Those without work. Unit: workers. */
  readonly idle: number;
  /** Work done since the ecosystem began. Unit: messages. */
  readonly completed: number;
  /** CPU time since the process began; undefined where it says nothing. Unit: ms. */
  readonly cpuMs: number | undefined;
}

/** Decides how many workers there should be. */
export interface Scaler {
  /** By how many there should be more: 1, 0 or -1. */
  decide(look: ScalingLook): -1 | 0 | 1;
  /** What it knows, beside its mode. */
  report(nowMs: number): Pick<EcosystemScaling, "decisions" | "ceiling" | "floor">;
}
