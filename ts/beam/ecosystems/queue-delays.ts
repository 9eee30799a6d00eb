import type { QueueDelay } from "./ecosystem-types.ts";

/** Pieces of work whose wait is remembered. */
const SAMPLES_MAX = 256;

/** How long work waited for a worker. */
export class QueueDelays {
  readonly #samples: number[] = [];
  #next = 0;
  #sumMs = 0;
  #count = 0;

  /** A piece of work was handed out after that wait. */
  record(delayMs: number): void {
    this.#samples[this.#next] = delayMs;
    this.#next = (this.#next + 1) % SAMPLES_MAX;
    this.#sumMs += delayMs;
    this.#count++;
  }

  /** Of the last ones. */
  recent(): QueueDelay {
    const samples = this.#samples;
    if (samples.length === 0) return { samples: 0, meanMs: 0, maxMs: 0 };
    const sumMs = samples.reduce((sum, delayMs) => sum + delayMs, 0);
    const meanMs = sumMs / samples.length;
    return { samples: samples.length, meanMs, maxMs: Math.max(...samples) };
  }

  /** The mean since it was last asked; 0 where nothing was handed out. Unit: ms. */
  takeMeanMs(): number {
    const meanMs = this.#count === 0 ? 0 : this.#sumMs / this.#count;
    this.#sumMs = 0;
    this.#count = 0;
    return meanMs;
  }
}
