import { FoundationError } from "../../../base/errors.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { isName, isRecord, wholeNumber } from "../checks.ts";
import type { RateKey } from "../limits/rate-limiter.ts";
import type { RateRuleOptions } from "../limits/rate-rule.ts";
import { planRetry, type RetryOptions } from "../resilience/retry.ts";

/** A limit that a call counts for; what it leaves open follows from the configuration. */
export interface CallRateOptions extends RateRuleOptions {
  /** Name of the rule. */
  readonly rule: string;
  /** Who is limited. */
  readonly id: RateKey;
  /** Counts together with all who use the same store. Default: `false`. */
  readonly shared?: boolean;
}

/** So many calls of a key at a time. Defaults: {@link BULKHEAD_DEFAULTS}. */
export interface BulkheadOptions {
  /** Calls at a time. Unit: calls. */
  readonly concurrent: number;
  /** Calls that wait for one of them to end. Unit: calls. */
  readonly waiting?: number;
}

/** How many wait for a bulkhead unless its options say otherwise. */
export const BULKHEAD_DEFAULTS = Object.freeze({
  waiting: 0, // what cannot run at once is refused: a queue only hides that there is too much
});

/**
 * What protects a call. Layers that are not named are not there; unknown keys are ignored, as in
 * Foundation 1.x.
 */
export interface ProtectedCallOptions {
  /** Name of a circuit breaker that was started. Default: none. */
  readonly circuitBreaker?: string | undefined;
  /** A limit: its rule and who is limited. Default: none. */
  readonly rateLimiter?: readonly [rule: string, id: RateKey] | CallRateOptions | undefined;
  /** Name of a pool that was started; the function gets one of its workers. Default: none. */
  readonly connectionPool?: string | undefined;
  /** So many calls of this key at a time. Default: none. */
  readonly bulkhead?: BulkheadOptions | undefined;
  /** Tries again what failed. Default: never. */
  readonly retry?: RetryOptions | undefined;
  /**
   * Time of one attempt, its waiting included. Unit: ms. Default: the configured `callTimeout`
   * under a breaker, else 5,000 with a pool, else none.
   */
  readonly timeoutMs?: number | undefined;
  /** Ends the call with `aborted`. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a call, checked. */
export interface CallPlan {
  readonly circuitBreaker: string | undefined;
  readonly rateLimiter: CallRateOptions | undefined;
  readonly connectionPool: string | undefined;
  readonly bulkhead: Required<BulkheadOptions> | undefined;
  readonly retry: RetryOptions | undefined;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

function refuse(text: string, context: Readonly<Record<string, unknown>> = {}): FoundationError {
  return new FoundationError("exception", text, { context });
}

/**
 * Checks the options of a call.
 *
 * @throws FoundationError `exception` with the option that cannot be used
 */
export function planCall(options: ProtectedCallOptions): CallPlan {
  if (!isRecord(options)) throw refuse("the options of a protected call must be an object");
  const { circuitBreaker, rateLimiter, connectionPool, bulkhead, retry, timeoutMs, signal } =
    options as ProtectedCallOptions;
  if (circuitBreaker !== undefined && !isName(circuitBreaker)) {
    throw refuse("circuitBreaker must be the name of a breaker");
  }
  if (connectionPool !== undefined && !isName(connectionPool)) {
    throw refuse("connectionPool must be the name of a pool");
  }
  if (timeoutMs !== undefined) wholeNumber("timeoutMs", timeoutMs, [1, DELAY_MS_MAX], refuse);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw refuse("signal must be an AbortSignal");
  }
  if (retry !== undefined) planRetry(retry);
  return {
    circuitBreaker,
    rateLimiter: rateLimiter === undefined ? undefined : planRate(rateLimiter),
    connectionPool,
    bulkhead: bulkhead === undefined ? undefined : planBulkhead(bulkhead),
    retry,
    timeoutMs,
    signal,
  };
}

function planRate(rate: NonNullable<ProtectedCallOptions["rateLimiter"]>): CallRateOptions {
  if (isPair(rate)) return { rule: rate[0], id: rate[1] };
  if (!isRecord(rate) || typeof rate.rule !== "string" || rate.id === undefined) {
    throw refuse("rateLimiter must be a rule and an id: ['api_calls', 'user:7']");
  }
  return rate;
}

function isPair(rate: unknown): rate is readonly [string, RateKey] {
  return Array.isArray(rate) && rate.length === 2 && typeof rate[0] === "string";
}

const COUNTS = [0, Number.MAX_SAFE_INTEGER] as const;

function planBulkhead(bulkhead: BulkheadOptions): Required<BulkheadOptions> {
  if (!isRecord(bulkhead)) throw refuse("bulkhead must be an object");
  const plan = { ...BULKHEAD_DEFAULTS, ...bulkhead };
  wholeNumber("bulkhead.concurrent", plan.concurrent, [1, COUNTS[1]], refuse);
  wholeNumber("bulkhead.waiting", plan.waiting, COUNTS, refuse);
  return plan;
}
