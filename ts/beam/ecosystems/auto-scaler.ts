import type {
  EcosystemScaling,
  EcosystemScalingOptions,
  Scaler,
  ScalingLook,
} from "./scaling-types.ts";

/** Decides from the queue delay whether there are too few or too many workers. */
export class AutoScaler implements Scaler {
  readonly #options: Required<EcosystemScalingOptions>;
  readonly #min: number;
  readonly #max: number;
  #highLooks = 0;
  #lowLooks = 0;

  constructor(options: Required<EcosystemScalingOptions>, min: number, max: number) {
    this.#options = options;
    this.#min = min;
    this.#max = max;
  }

  decide({
    delayMs,
    workers,
    idle,
  }: Pick<ScalingLook, "delayMs" | "workers" | "idle">): -1 | 0 | 1 {
    const { highDelayMs, lowDelayMs, upAfterLooks, downAfterLooks } = this.#options;
    this.#highLooks = delayMs >= highDelayMs ? this.#highLooks + 1 : 0;
    this.#lowLooks = delayMs <= lowDelayMs && idle > 0 ? this.#lowLooks + 1 : 0;
    if (workers < this.#min) return 1;
    if (this.#highLooks >= upAfterLooks && workers < this.#max) {
      this.#highLooks = 0;
      return 1;
    }
    if (this.#lowLooks >= downAfterLooks && workers > this.#min) {
      this.#lowLooks = 0;
      return -1;
    }
    return 0;
  }

  /** It changes things without measuring what came of it. */
  report(): Pick<EcosystemScaling, "decisions" | "ceiling" | "floor"> {
    return { decisions: [], ceiling: undefined, floor: undefined };
  }
}
