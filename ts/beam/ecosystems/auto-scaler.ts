import type { EcosystemScalingOptions } from "./ecosystem-types.ts";

/** What the scaler sees at one look. */
export interface ScalingLook {
  /** How long work waits for a worker. Unit: ms. */
  readonly delayMs: number;
  /** Unit: workers. */
  readonly workers: number;
  /** Those without work. Unit: workers. */
  readonly idle: number;
}

/** Decides from the queue delay whether there are too few or too many workers. */
export class AutoScaler {
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

  /** By how many workers there should be more: 1, 0 or -1. */
  decide({ delayMs, workers, idle }: ScalingLook): -1 | 0 | 1 {
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
}
