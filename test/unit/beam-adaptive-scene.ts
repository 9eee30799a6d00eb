import { AdaptiveScaler } from "../../dist/ts/beam/ecosystems/adaptive-scaler.js";
import { AutoScaler } from "../../dist/ts/beam/ecosystems/auto-scaler.js";
import { ECOSYSTEM_SCALING_DEFAULTS, type EcosystemScalingOptions } from "../../dist/ts/index.js";

/** A plant of workers: what they can do together, and what they burn. */
export interface Plant {
  /** Work that so many workers do in a second. */
  readonly capacity: (workers: number) => number;
  /** CPU that they use where all are at work. Unit: cores. */
  readonly cores?: (workers: number) => number;
}

/** How a simulation scales unless it says otherwise. */
export const SCALING: Required<EcosystemScalingOptions> = ECOSYSTEM_SCALING_DEFAULTS;

/** Simulates a queue before a plant, one look a second, and does what the scaler says. */
export class Simulation {
  readonly scaler: AdaptiveScaler | AutoScaler;
  readonly sizes: number[] = [];
  workers: number;
  nowMs = 0;
  completed = 0;
  #cpuMs = 0;
  #backlog = 0;
  readonly #plant: Plant;

  constructor(plant: Plant, min: number, max: number, isAdaptive = true, options = SCALING) {
    this.#plant = plant;
    this.workers = min;
    const Kind = isAdaptive ? AdaptiveScaler : AutoScaler;
    this.scaler = new Kind(options, min, max);
  }

  /** Runs looks at which that much work comes in a second. */
  run(looks: number, arrivals: (look: number) => number): void {
    for (let look = 0; look < looks; look++) {
      const capacity = this.#plant.capacity(this.workers);
      const there = this.#backlog + arrivals(look);
      const done = Math.min(there, capacity);
      this.#backlog = there - done;
      this.completed += done;
      this.nowMs += 1_000;
      const busy = done / capacity;
      this.#cpuMs += 1_000 * busy * (this.#plant.cores?.(this.workers) ?? this.workers);
      const change = this.scaler.decide({
        nowMs: this.nowMs,
        delayMs: (this.#backlog / capacity) * 1_000,
        workers: this.workers,
        idle: Math.floor((1 - busy) * this.workers),
        completed: this.completed,
        cpuMs: this.#cpuMs,
      });
      this.workers += change;
      this.sizes.push(this.workers);
    }
  }

  get decisions() {
    return this.scaler.report(this.nowMs).decisions;
  }

  /** How often the number of workers has changed. */
  get changes(): number {
    return this.sizes.filter((size, index) => index > 0 && size !== this.sizes[index - 1]).length;
  }
}
