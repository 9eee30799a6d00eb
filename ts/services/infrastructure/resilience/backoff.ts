import { checkWord, DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { isRecord, knownKeys, numberWithin, refuseOptions } from "../checks.ts";

/** A number from 0 up to, and without, 1; as `Math.random`. */
export type Random = () => number;

/**
 * What is done to a delay so that many do not come back at the same moment. `factor`: it is taken
 * times something between `1 - factor` and 1; `additive`: up to `ms` are added; `range`: it is
 * taken times something between `min` and `max`.
 */
export type Jitter =
  | "none"
  | { readonly kind: "factor"; readonly factor: number }
  | { readonly kind: "additive"; readonly ms: number }
  | { readonly kind: "range"; readonly min: number; readonly max: number };

/** How long to wait before the next attempt. Defaults: {@link BACKOFF_DELAY_DEFAULTS}. */
export interface BackoffDelayOptions {
  /** Twice as long each time, `baseMs` longer each time, or always the same. */
  readonly kind?: "exponential" | "linear" | "constant";
  /** The first delay. Unit: ms. */
  readonly baseMs?: number;
  /** The longest, before jitter. Unit: ms. */
  readonly maxMs?: number;
  /** What is done to it so that many do not come back at once. */
  readonly jitter?: Jitter;
}

/** How long to wait unless the options say otherwise. */
export const BACKOFF_DELAY_DEFAULTS: Required<BackoffDelayOptions> = Object.freeze({
  kind: "exponential", // as Foundation 0.2
  baseMs: 1_000, // as Foundation 0.2
  maxMs: 10_000, // as Foundation 0.2
  jitter: "none", // as Foundation 0.2
});

/**
 * Completes and checks how long to wait.
 *
 * @throws FoundationError `invalid_options`
 */
export function planBackoff(options: BackoffDelayOptions = {}): Required<BackoffDelayOptions> {
  knownKeys("backoff", options, Object.keys(BACKOFF_DELAY_DEFAULTS));
  const plan = { ...BACKOFF_DELAY_DEFAULTS, ...options };
  checkWord("backoff.kind", plan.kind, ["exponential", "linear", "constant"]);
  numberWithin("backoff.baseMs", plan.baseMs, [0, DELAY_MS_MAX]);
  numberWithin("backoff.maxMs", plan.maxMs, [0, DELAY_MS_MAX]);
  checkJitter(plan.jitter);
  return plan;
}

function checkJitter(jitter: Jitter): void {
  if (jitter === "none") return;
  if (!isRecord(jitter)) throw refuseOptions("jitter must be 'none' or an object", {});
  switch (jitter.kind) {
    case "factor":
      numberWithin("jitter.factor", jitter.factor, [0, 1]);
      return;
    case "additive":
      numberWithin("jitter.ms", jitter.ms, [0, DELAY_MS_MAX]);
      return;
    case "range":
      numberWithin("jitter.min", jitter.min, [0, 1_000]);
      numberWithin("jitter.max", jitter.max, [jitter.min, 1_000]);
      return;
    default:
      jitter satisfies never;
      throw refuseOptions("jitter.kind must be factor, additive or range", {});
  }
}

/** The delay before the attempt that follows so many failed ones, 0 or more. Unit: ms. */
export function backoffMs(
  failures: number,
  { kind, baseMs, maxMs, jitter }: Required<BackoffDelayOptions>,
  random: Random = Math.random,
): number {
  const factor = kind === "exponential" ? 2 ** failures : kind === "linear" ? failures + 1 : 1;
  const delayMs = Math.min(maxMs, baseMs * factor);
  if (jitter === "none") return delayMs;
  switch (jitter.kind) {
    case "factor":
      return delayMs * (1 - jitter.factor * random());
    case "additive":
      return delayMs + jitter.ms * random();
    case "range":
      return delayMs * (jitter.min + (jitter.max - jitter.min) * random());
    default:
      return jitter satisfies never;
  }
}
