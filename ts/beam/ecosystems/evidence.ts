import type { ScalingFigures, ScalingLook } from "./scaling-types.ts";

interface Sample {
  readonly tookMs: number;
  readonly completed: number;
  readonly delayMs: number;
  readonly cpuMs: number | undefined;
}

/** What was seen over the last looks at one number of workers. */
export class Evidence {
  readonly #looksMax: number;
  readonly #samples: Sample[] = [];
  #last: ScalingLook | undefined;

  constructor(looksMax: number) {
    this.#looksMax = looksMax;
  }

  /** Whether there are as many looks as it takes. */
  get isFull(): boolean {
    return this.#samples.length === this.#looksMax;
  }

  /** Whether in all of them work waited that long. */
  isAtLeast(delayMs: number): boolean {
    return this.isFull && this.#samples.every((sample) => sample.delayMs >= delayMs);
  }

  /** One more look: what lies between it and the one before. */
  add(look: ScalingLook): void {
    const last = this.#last;
    this.#last = look;
    if (last === undefined || look.nowMs <= last.nowMs) return;
    const isMeasured = look.cpuMs !== undefined && last.cpuMs !== undefined;
    this.#samples.push({
      tookMs: look.nowMs - last.nowMs,
      completed: look.completed - last.completed,
      delayMs: look.delayMs,
      cpuMs: isMeasured ? (look.cpuMs as number) - (last.cpuMs as number) : undefined,
    });
    if (this.#samples.length > this.#looksMax) this.#samples.shift();
  }

  /** Forgets what was seen; the next look is measured against this one. */
  restart(look: ScalingLook): void {
    this.#samples.length = 0;
    this.#last = look;
  }

  /** All of it in figures. */
  figures(): ScalingFigures {
    const samples = this.#samples;
    const sum = (of: (sample: Sample) => number): number => {
      return samples.reduce((total, sample) => total + of(sample), 0);
    };
    const tookMs = sum((sample) => sample.tookMs);
    const isMeasured = samples.every(({ cpuMs }) => cpuMs !== undefined);
    return {
      looks: samples.length,
      throughputPerSecond: tookMs === 0 ? 0 : (sum(({ completed }) => completed) * 1_000) / tookMs,
      delayMs: samples.length === 0 ? 0 : sum(({ delayMs }) => delayMs) / samples.length,
      cpuCores:
        !isMeasured || tookMs === 0 ? undefined : sum(({ cpuMs }) => cpuMs as number) / tookMs,
    };
  }
}
