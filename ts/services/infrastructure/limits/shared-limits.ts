import type { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { type Clock, SYSTEM_CLOCK } from "../../../base/clock.ts";
import { FoundationError } from "../../../base/errors.ts";
import { checkWord, DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { thrownText } from "../../../base/thrown-text.ts";
import { isRecord, knownKeys, refuseOptions, wholeNumber } from "../checks.ts";
import type { RateVerdict } from "./buckets.ts";
import { type RateRule, refuseRule } from "./rate-rule.ts";

/** Limits that several processes count together. */
export interface SharedLimits {
  /** Counts a call; `local` where the store cannot be had and this process is to count alone. */
  take(key: string, rule: RateRule): Promise<RateVerdict | "local">;
  /** What it would say, without counting. */
  look(key: string, rule: RateRule): Promise<RateVerdict>;
  /** Forgets what was counted. */
  reset(key: string, rule: RateRule): Promise<void>;
}

/** What becomes of calls while the store cannot be had. */
export type WhenUnavailable = "local" | "allow" | "refuse";

/** How limits are shared through Redis. Defaults: {@link REDIS_LIMITS_DEFAULTS}. */
export interface RedisLimitsOptions {
  /** In front of every key. */
  readonly prefix?: string;
  /**
   * While Redis fails or is late, each process counts alone (`local`), lets calls through (`allow`)
   * or refuses them (`refuse`).
   */
  readonly whenUnavailable?: WhenUnavailable;
  /** Time that Redis has for an answer. Unit: ms. */
  readonly timeoutMs?: number;
  /** Takes the time. Default: the system's clock. */
  readonly clock?: Clock;
}

/** How limits are shared unless the options say otherwise. */
export const REDIS_LIMITS_DEFAULTS = Object.freeze({
  prefix: "foundation:rate", // beside other users of the same server
  whenUnavailable: "local" as WhenUnavailable, // neither an outage of ours nor no limit at all
  timeoutMs: 1_000, // a server in the same place answers in a few
});

/** Pairs of limit and window that are in use at a time. */
const RULES_MAX = 1_000;

/**
 * Limits that all processes share that use the same Redis server. The client is yours: of `ioredis`
 * or of `redis` (`@redis/client`), connected. Windows are fixed, start with the first call of a key
 * and last whole seconds.
 *
 * @throws FoundationError `invalid_options`
 */
export function redisLimits(client: object, options: RedisLimitsOptions = {}): SharedLimits {
  return new RedisLimits(client, options);
}

class RedisLimits implements SharedLimits {
  readonly #client: object;
  readonly #options: Required<RedisLimitsOptions>;
  readonly #limiters = new Map<string, Promise<RateLimiterRedis>>();

  constructor(client: object, options: RedisLimitsOptions) {
    if (!isRecord(client) || typeof client["multi"] !== "function") {
      throw refuseOptions("the client must be one of ioredis or of redis", {});
    }
    const known = [...Object.keys(REDIS_LIMITS_DEFAULTS), "clock"];
    knownKeys("the options of shared limits", options, known);
    this.#client = client;
    this.#options = { ...REDIS_LIMITS_DEFAULTS, clock: SYSTEM_CLOCK, ...options };
    const { prefix, whenUnavailable, timeoutMs } = this.#options;
    if (typeof prefix !== "string") throw refuseOptions("prefix must be a text", {});
    checkWord("whenUnavailable", whenUnavailable, ["local", "allow", "refuse"]);
    wholeNumber("timeoutMs", timeoutMs, [1, DELAY_MS_MAX]);
  }

  async take(key: string, rule: RateRule): Promise<RateVerdict | "local"> {
    const limiter = await this.#limiter(rule);
    try {
      const answer = await this.#within(limiter.consume(key).catch(refusal));
      return verdictOf(answer, rule, answer.consumedPoints <= rule.limit);
    } catch (thrown) {
      const { whenUnavailable } = this.#options;
      if (whenUnavailable === "refuse") throw thrown;
      if (whenUnavailable === "local") return "local";
      return { isAllowed: true, used: 0, remaining: rule.limit, retryAfterMs: 0 };
    }
  }

  async look(key: string, rule: RateRule): Promise<RateVerdict> {
    const limiter = await this.#limiter(rule);
    const answer = await this.#within(limiter.get(key));
    if (answer !== null) return verdictOf(answer, rule, answer.consumedPoints < rule.limit);
    return { isAllowed: rule.limit > 0, used: 0, remaining: rule.limit, retryAfterMs: 0 };
  }

  async reset(key: string, rule: RateRule): Promise<void> {
    const limiter = await this.#limiter(rule);
    await this.#within(limiter.delete(key));
  }

  /** The library, loaded when it is first used, has one object for each limit and window. */
  async #limiter(rule: RateRule): Promise<RateLimiterRedis> {
    if (rule.algorithm !== "fixedWindow") {
      throw refuseRule(`a shared limit is counted in fixed windows, not by ${rule.algorithm}`, {});
    }
    if (rule.windowMs % 1_000 !== 0) {
      throw refuseRule(`a shared window lasts whole seconds, not ${rule.windowMs} ms`, {});
    }
    const name = `${rule.limit}/${rule.windowMs}`;
    const known = this.#limiters.get(name);
    if (known !== undefined) return known;
    if (this.#limiters.size >= RULES_MAX) this.#limiters.clear();
    const limiter = this.#open(rule);
    this.#limiters.set(name, limiter);
    return limiter;
  }

  async #open({ limit, windowMs }: RateRule): Promise<RateLimiterRedis> {
    const { RateLimiterRedis } = await import("rate-limiter-flexible");
    const duration = windowMs / 1_000;
    return new RateLimiterRedis({
      storeClient: this.#client,
      // ioredis defines commands, the client of `redis` does not: they pass arguments differently.
      useRedisPackage: !("defineCommand" in this.#client),
      keyPrefix: `${this.#options.prefix}:${duration}`,
      points: limit,
      duration,
    });
  }

  async #within<T>(answer: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const late = (): void => reject(unavailable(`no answer within ${timeoutMs} ms`));
      const cancel = clock.after(timeoutMs, late, true);
      answer.finally(cancel).then(resolve, (thrown: unknown) => {
        reject(unavailable(thrownText(thrown), thrown));
      });
    });
  }
}

/** The library throws the figures of a call that it refuses; errors of the store are errors. */
function refusal(thrown: unknown): RateLimiterRes {
  if (thrown instanceof Error) throw thrown;
  return thrown as RateLimiterRes;
}

function verdictOf(answer: RateLimiterRes, rule: RateRule, isAllowed: boolean): RateVerdict {
  const used = Math.min(answer.consumedPoints, rule.limit);
  const remaining = rule.limit - used;
  const waitMs = rule.limit === 0 ? Number.POSITIVE_INFINITY : answer.msBeforeNext;
  return { isAllowed, used, remaining, retryAfterMs: remaining > 0 ? 0 : waitMs };
}

function unavailable(reason: string, cause?: unknown): FoundationError {
  const text = `the store of shared rate limits failed: ${reason}`;
  return new FoundationError("rate_limiter_exception", text, { numericCode: 6007, cause });
}
