import { FoundationError } from "../../../base/errors.ts";
import { knownKeys, type Refuse, wholeNumber } from "../checks.ts";

/**
 * How a limit is counted. `fixedWindow`: as Foundation 1.x, windows stand one behind the other, and
 * twice the limit may pass around the end of one. `slidingWindow`: never more than the limit within
 * any stretch of that length; it remembers the time of each. `tokenBucket`: a bucket of `burst`
 * tokens that is filled at the rate of the limit.
 */
export type RateAlgorithm = "fixedWindow" | "slidingWindow" | "tokenBucket";

/** How often something may happen. Defaults: {@link RATE_DEFAULTS}. */
export interface RateRuleOptions {
  /** How often within the window; 0 denies everything. Unit: calls. */
  readonly limit?: number;
  /** Length of the window. Unit: ms. */
  readonly windowMs?: number;
  /** How it is counted. */
  readonly algorithm?: RateAlgorithm;
  /** Tokens that a full bucket holds, of `tokenBucket` alone. Unit: calls. Default: the limit. */
  readonly burst?: number;
}

/** How often something may happen where nothing says otherwise. */
export const RATE_DEFAULTS = Object.freeze({
  limit: 100, // as `execute_protected` of Foundation 1.x
  windowMs: 60_000, // as `execute_protected` of Foundation 1.x
  algorithm: "fixedWindow" as RateAlgorithm, // as Foundation 1.x
});

/** A rule, complete and checked. */
export interface RateRule {
  readonly limit: number;
  readonly windowMs: number;
  readonly algorithm: RateAlgorithm;
  readonly burst: number;
}

const KEYS = ["limit", "windowMs", "algorithm", "burst"];
const ALGORITHMS: readonly unknown[] = ["fixedWindow", "slidingWindow", "tokenBucket"];
const LIMIT_MAX = Number.MAX_SAFE_INTEGER;
/** A sliding window keeps eight bytes for each call that it admits. */
const SLIDING_LIMIT_MAX = 100_000;

/** The error of a rate limit that cannot be checked with these arguments. */
export const refuseRule: Refuse = (text, context) =>
  new FoundationError("rate_limiter_exception", text, { numericCode: 6003, context });

/**
 * Completes and checks a rule.
 *
 * @throws FoundationError `rate_limiter_exception` (6003) with the part that cannot be used
 */
export function planRule(options: RateRuleOptions): RateRule {
  knownKeys("a rate limit", options, KEYS, refuseRule);
  const { limit, windowMs, algorithm, burst } = { ...RATE_DEFAULTS, ...options };
  if (!ALGORITHMS.includes(algorithm)) {
    throw refuseRule(`algorithm must be one of ${ALGORITHMS.join(", ")}`, { algorithm });
  }
  const most = algorithm === "slidingWindow" ? SLIDING_LIMIT_MAX : LIMIT_MAX;
  wholeNumber("limit", limit, [0, most], refuseRule);
  wholeNumber("windowMs", windowMs, [1, LIMIT_MAX], refuseRule);
  if (burst !== undefined && algorithm !== "tokenBucket") {
    throw refuseRule(`burst belongs to tokenBucket, not to ${algorithm}`, { algorithm });
  }
  wholeNumber("burst", burst ?? limit, [0, LIMIT_MAX], refuseRule);
  return { limit, windowMs, algorithm, burst: burst ?? limit };
}
