/** How often children may be restarted. Defaults: {@link INTENSITY_DEFAULTS}. */
export interface IntensityOptions {
  /** Restarts within `withinMs` that are borne; one more ends the supervisor. Unit: restarts. */
  readonly restartsMax?: number;
  /** Time over which restarts count. Unit: ms. */
  readonly withinMs?: number;
}

/** How often children may be restarted unless the options say otherwise. */
export const INTENSITY_DEFAULTS: Required<IntensityOptions> = Object.freeze({
  restartsMax: 3, // as Elixir's Supervisor
  withinMs: 5_000, // as Elixir's Supervisor
});

/** Counts restarts within a window of time. */
export class RestartIntensity {
  readonly #restartsMax: number;
  readonly #withinMs: number;
  readonly #times: number[] = [];

  constructor(options: Required<IntensityOptions>) {
    this.#restartsMax = options.restartsMax;
    this.#withinMs = options.withinMs;
  }

  /** Counts a restart at `nowMs`; false: that was one too many. */
  admit(nowMs: number): boolean {
    const times = this.#times;
    while (times.length > 0 && nowMs - (times[0] as number) > this.#withinMs) times.shift();
    times.push(nowMs);
    return times.length <= this.#restartsMax;
  }
}
