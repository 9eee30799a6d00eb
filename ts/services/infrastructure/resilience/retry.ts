import { type Clock, SYSTEM_CLOCK } from "../../../base/clock.ts";
import { abortError } from "../../../base/deadline.ts";
import { FoundationError } from "../../../base/errors.ts";
import type { CallResult } from "../breaker/breaker-options.ts";
import { knownKeys, numberWithin, refuseOptions, wholeNumber } from "../checks.ts";
import { type BackoffDelayOptions, backoffMs, planBackoff, type Random } from "./backoff.ts";
import { pause } from "./pause.ts";

/** When to try again, and when to stop. Defaults: {@link RETRY_DEFAULTS}. */
export interface RetryOptions {
  /** Attempts altogether, the first included, or `unbounded`. Unit: attempts. */
  readonly maxAttempts?: number | "unbounded";
  /** Time from the first attempt on within which another may start. Unit: ms. */
  readonly maxElapsedMs?: number | "unbounded";
  /** Time since there was progress, as the function reports it. Unit: ms. */
  readonly progressTimeoutMs?: number | "unbounded";
  /** How long to wait before the next attempt. Default: that of `BACKOFF_DELAY_DEFAULTS`. */
  readonly backoff?: BackoffDelayOptions;
  /**
   * Whether an attempt that ended so is worth another. Unit: attempts so far. Default:
   * where it threw, and not `aborted`.
   */
  readonly retryOn?: (result: CallResult, attempt: number) => boolean;
  /** A delay that the other side asked for, instead of the backoff. Unit: ms. Default: none. */
  readonly retryAfterMs?: (result: CallResult) => number | undefined;
}

/** When to stop trying unless the options say otherwise. */
export const RETRY_DEFAULTS = Object.freeze({
  maxAttempts: 3 as number | "unbounded", // as `Utils.retry`; 0.2 leaves it to its caller
  maxElapsedMs: "unbounded" as number | "unbounded", // as Foundation 0.2
  progressTimeoutMs: "unbounded" as number | "unbounded", // as Foundation 0.2
});

/** Tries for ever as long as there is progress: the policy of long jobs in Foundation 0.2. */
export const ENDLESS_RETRY: RetryOptions = Object.freeze<RetryOptions>({
  maxAttempts: "unbounded",
  progressTimeoutMs: 7_200_000,
  backoff: { baseMs: 500, maxMs: 10_000, jitter: { kind: "factor", factor: 0.25 } },
});

/** A policy, complete and checked. */
export interface RetryPlan {
  readonly maxAttempts: number;
  readonly maxElapsedMs: number;
  readonly progressTimeoutMs: number;
  readonly backoff: Required<BackoffDelayOptions>;
  readonly retryOn: (result: CallResult, attempt: number) => boolean;
  readonly retryAfterMs: (result: CallResult) => number | undefined;
}

/** Where a row of attempts stands. Times: ms of one clock. */
export interface RetryState {
  /** Attempts that ended. Unit: attempts. */
  readonly attempts: number;
  readonly startedMs: number;
  readonly progressMs: number;
}

/** What to do after an attempt. */
export type RetryStep =
  | { readonly kind: "retry"; readonly delayMs: number; readonly state: RetryState }
  | {
      readonly kind: "stop";
      readonly why: "done" | "max_attempts" | "max_elapsed" | "progress_timeout";
    };

const KEYS = [...Object.keys(RETRY_DEFAULTS), "backoff", "retryOn", "retryAfterMs"];

function threw(result: CallResult): boolean {
  if (result.ok) return false;
  return !(result.error instanceof FoundationError && result.error.code === "aborted");
}

/**
 * Completes and checks a policy.
 *
 * @throws FoundationError `invalid_options`
 */
export function planRetry(options: RetryOptions = {}): RetryPlan {
  knownKeys("retry", options, KEYS);
  const { backoff, retryOn = threw, retryAfterMs = () => undefined, ...bounds } = options;
  const { maxAttempts, maxElapsedMs, progressTimeoutMs } = { ...RETRY_DEFAULTS, ...bounds };
  if (typeof retryOn !== "function" || typeof retryAfterMs !== "function") {
    throw refuseOptions("retryOn and retryAfterMs must be functions", {});
  }
  if (maxAttempts !== "unbounded") {
    wholeNumber("maxAttempts", maxAttempts, [1, Number.MAX_SAFE_INTEGER]);
  }
  return {
    maxAttempts: maxAttempts === "unbounded" ? Number.POSITIVE_INFINITY : maxAttempts,
    maxElapsedMs: bound("maxElapsedMs", maxElapsedMs),
    progressTimeoutMs: bound("progressTimeoutMs", progressTimeoutMs),
    backoff: planBackoff(backoff),
    retryOn,
    retryAfterMs,
  };
}

function bound(name: string, value: number | "unbounded"): number {
  if (value === "unbounded") return Number.POSITIVE_INFINITY;
  return numberWithin(name, value, [0, Number.MAX_SAFE_INTEGER]);
}

/** What to do after an attempt that ended at `nowMs`. Pure: tells, and does nothing. */
export function retryStep(
  state: RetryState,
  plan: RetryPlan,
  result: CallResult,
  nowMs: number,
  random: Random = Math.random,
): RetryStep {
  const attempts = state.attempts + 1;
  if (!plan.retryOn(result, attempts)) return { kind: "stop", why: "done" };
  if (attempts >= plan.maxAttempts) return { kind: "stop", why: "max_attempts" };
  if (nowMs - state.progressMs >= plan.progressTimeoutMs) {
    return { kind: "stop", why: "progress_timeout" };
  }
  const wishedMs = plan.retryAfterMs(result) ?? backoffMs(attempts - 1, plan.backoff, random);
  const delayMs = Math.max(0, wishedMs);
  // A wait that nothing can follow is not begun.
  if (nowMs + delayMs - state.startedMs > plan.maxElapsedMs) {
    return { kind: "stop", why: "max_elapsed" };
  }
  return { kind: "retry", delayMs, state: { ...state, attempts } };
}

/** What a function under retry is told. */
export interface RetryAttempt {
  /** Which attempt it is, from 1 on. */
  readonly attempt: number;
  /** Says that there was progress. */
  progress(): void;
}

/** What goes with a row of attempts. Defaults: {@link RETRY_DEFAULTS}. */
export interface RetryRunOptions extends RetryOptions {
  /** Takes the time. Default: the system's clock. */
  readonly clock?: Clock;
  /** Ends the waits with `aborted`. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Draws jitter. Default: `Math.random`. */
  readonly random?: Random;
  /** Told before each wait: attempts so far, and the delay. Unit: ms. Default: nobody. */
  readonly onRetry?: (attempt: number, delayMs: number, result: CallResult) => void;
}

/**
 * Calls a function until an attempt is worth no other, and answers with the end of the last: what
 * it returned, or what it threw.
 *
 * @throws FoundationError `max_elapsed`, `progress_timeout`, both with the last error as `cause`;
 *   `aborted`, `invalid_options`; what the last attempt threw
 */
export async function retry<T>(
  run: (attempt: RetryAttempt) => T | Promise<T>,
  { clock = SYSTEM_CLOCK, signal, random, onRetry, ...options }: RetryRunOptions = {},
): Promise<T> {
  const plan = planRetry(options);
  const startedMs = clock.now();
  let state: RetryState = { attempts: 0, startedMs, progressMs: startedMs };
  const progress = (): void => {
    state = { ...state, progressMs: clock.now() };
  };
  for (;;) {
    if (signal?.aborted === true) throw abortError(signal);
    const result = await ended(run, { attempt: state.attempts + 1, progress });
    const step = retryStep(state, plan, result, clock.now(), random);
    if (step.kind === "stop") return conclude(step.why, result) as T;
    state = step.state;
    onRetry?.(state.attempts, step.delayMs, result);
    await pause(clock, step.delayMs, signal);
  }
}

async function ended<T>(
  run: (attempt: RetryAttempt) => T | Promise<T>,
  attempt: RetryAttempt,
): Promise<CallResult> {
  try {
    return { ok: true, value: await run(attempt) };
  } catch (error) {
    return { ok: false, error };
  }
}

type Why = (RetryStep & { kind: "stop" })["why"];

function conclude(why: Why, result: CallResult): unknown {
  if (why === "max_elapsed" || why === "progress_timeout") {
    const text =
      why === "max_elapsed" ? "there is no time for another attempt" : "there was no progress";
    const cause = result.ok ? undefined : result.error;
    throw new FoundationError(why, text, cause === undefined ? {} : { cause });
  }
  if (result.ok) return result.value;
  throw result.error;
}
