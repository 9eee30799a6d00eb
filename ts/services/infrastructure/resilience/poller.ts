import { type Clock, SYSTEM_CLOCK } from "../../../base/clock.ts";
import { abortError } from "../../../base/deadline.ts";
import { FoundationError } from "../../../base/errors.ts";
import { isRecord, knownKeys, numberWithin, refuseOptions, wholeNumber } from "../checks.ts";
import { type BackoffDelayOptions, backoffMs, planBackoff, type Random } from "./backoff.ts";
import { pause } from "./pause.ts";

/** What one look found: the end, not yet (and perhaps when to look again), or no use. */
export type PollStep<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "retry"; readonly delayMs?: number }
  | { readonly kind: "error"; readonly error: unknown };

/** How often to look, and for how long. Defaults: {@link POLL_DEFAULTS}. */
export interface PollOptions {
  /** How long to wait between two looks. */
  readonly backoff?: BackoffDelayOptions;
  /** Time for all looks. Unit: ms. */
  readonly timeoutMs?: number | "unbounded";
  /** Looks altogether. Unit: looks. */
  readonly maxAttempts?: number | "unbounded";
  /** Takes the time. Default: the system's clock. */
  readonly clock?: Clock;
  /** Ends it with `aborted`. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Draws jitter. Default: `Math.random`. */
  readonly random?: Random;
}

/** How often to look unless the options say otherwise. */
export const POLL_DEFAULTS: Required<Pick<PollOptions, "backoff" | "timeoutMs" | "maxAttempts">> =
  Object.freeze({
    backoff: Object.freeze({ kind: "constant", baseMs: 1_000 }), // as Foundation 0.2
    timeoutMs: "unbounded", // as Foundation 0.2
    maxAttempts: "unbounded", // as Foundation 0.2
  });

const KEYS = [...Object.keys(POLL_DEFAULTS), "clock", "signal", "random"];

/**
 * Looks again and again until there is an end to see. What a look throws ends it.
 *
 * @throws FoundationError `max_elapsed` after `timeoutMs`, `max_attempts_exceeded`, `aborted`,
 *   `invalid_options`; the error of a look
 */
export async function poll<T>(
  look: (attempt: number) => PollStep<T> | Promise<PollStep<T>>,
  options: PollOptions = {},
): Promise<T> {
  knownKeys("the options of a poll", options, KEYS);
  const { timeoutMs, maxAttempts, ...plan } = { ...POLL_DEFAULTS, ...options };
  const { clock = SYSTEM_CLOCK, signal, random } = plan;
  if (timeoutMs !== "unbounded") numberWithin("timeoutMs", timeoutMs, [0, Number.MAX_SAFE_INTEGER]);
  if (maxAttempts !== "unbounded") {
    wholeNumber("maxAttempts", maxAttempts, [1, Number.MAX_SAFE_INTEGER]);
  }
  const backoff = planBackoff(plan.backoff);
  const endMs = timeoutMs === "unbounded" ? Number.POSITIVE_INFINITY : clock.now() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted === true) throw abortError(signal);
    const step = await look(attempt);
    if (!isRecord(step)) throw refuseOptions("a look must answer with a step", {});
    if (step.kind === "ok") return step.value;
    if (step.kind === "error") throw step.error;
    if (attempt === maxAttempts) {
      throw new FoundationError("max_attempts_exceeded", `looked ${attempt} times in vain`);
    }
    const delayMs = step.delayMs ?? backoffMs(attempt - 1, backoff, random);
    if (clock.now() + delayMs > endMs) {
      throw new FoundationError("max_elapsed", `there was no end to see within ${timeoutMs} ms`);
    }
    await pause(clock, delayMs, signal);
  }
}
