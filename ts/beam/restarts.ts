import { FoundationError } from "../base/errors.ts";
import { checkKeys, DELAY_MS_MAX } from "../base/option-checks.ts";
import {
  INTENSITY_DEFAULTS,
  type IntensityOptions,
  RestartIntensity,
} from "./restart-intensity.ts";
import { BACKOFF_DEFAULTS, type BackoffOptions } from "./supervisor-types.ts";

/** When a supervisor may restart a child, and after how long. */
export class Restarts {
  readonly #intensity: RestartIntensity;
  readonly #backoff: Required<BackoffOptions> | undefined;
  readonly #withinMs: number;
  #inARow = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** @throws FoundationError `invalid_options` */
  constructor(intensity: IntensityOptions = {}, backoff: BackoffOptions | undefined) {
    checkKeys("intensity", intensity, Object.keys(INTENSITY_DEFAULTS));
    const limits = { ...INTENSITY_DEFAULTS, ...intensity };
    const { restartsMax, withinMs } = limits;
    if (!Number.isSafeInteger(restartsMax) || restartsMax < 0) {
      refuse("intensity.restartsMax must be a whole number of at least 0");
    }
    if (!(withinMs > 0)) refuse("intensity.withinMs must be above 0");
    this.#intensity = new RestartIntensity(limits);
    this.#withinMs = withinMs;
    if (backoff === undefined) return;
    checkKeys("backoff", backoff, Object.keys(BACKOFF_DEFAULTS));
    const { firstMs, maxMs, factor } = { ...BACKOFF_DEFAULTS, ...backoff };
    const isInOrder = firstMs > 0 && maxMs >= firstMs && maxMs <= DELAY_MS_MAX;
    if (!isInOrder || !(factor >= 1)) {
      refuse(`backoff needs 0 < firstMs <= maxMs <= ${DELAY_MS_MAX} and factor >= 1`);
    }
    this.#backoff = { firstMs, maxMs, factor };
  }

  /** How long to wait before the next restart; undefined: there were too many. Unit: ms. */
  next(nowMs: number): number | undefined {
    if (!this.#intensity.admit(nowMs)) return undefined;
    if (this.#backoff === undefined) return 0;
    this.#inARow = nowMs - this.#lastAt > this.#withinMs ? 0 : this.#inARow + 1;
    this.#lastAt = nowMs;
    const { firstMs, maxMs, factor } = this.#backoff;
    return Math.min(maxMs, firstMs * factor ** this.#inARow);
  }
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
