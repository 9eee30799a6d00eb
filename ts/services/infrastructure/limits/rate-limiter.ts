import { createHash } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import { FoundationError } from "../../../base/errors.ts";
import { isThenable } from "../../../base/thenable.ts";
import { thrownText } from "../../../base/thrown-text.ts";
import type { Metadata, TelemetrySink } from "../../sinks.ts";
import { eventNames, ONE, withMetadata } from "../reports.ts";
import { type Bucket, openBucket, type RateVerdict } from "./buckets.ts";
import {
  planRule,
  RATE_DEFAULTS,
  type RateAlgorithm,
  type RateRule,
  type RateRuleOptions,
  refuseRule,
} from "./rate-rule.ts";
import type { SharedLimits } from "./shared-limits.ts";

/** Who is limited, or in what: anything that a short text can stand for. */
export type RateKey = string | number | bigint | boolean;

/** What is known of the calls of one entity and operation. */
export interface RateStatus {
  readonly status: "available" | "rate_limited";
  readonly entityId: RateKey;
  /** Calls that count now. Unit: calls. */
  readonly currentCount: number;
  readonly limit: number;
  readonly windowMs: number;
  readonly algorithm: RateAlgorithm;
  /** Calls that would be allowed now. Unit: calls. */
  readonly remaining: number;
  /** Until one is allowed. Unit: ms; 0 where one is now. */
  readonly retryAfterMs: number;
}

/** What a call is about. */
interface About {
  readonly entityId: RateKey;
  readonly operation: RateKey;
  readonly metadata: Metadata | undefined;
}

/** What a rate limiter stands on. */
export interface RateLimiterParts {
  readonly clock: Clock;
  readonly telemetry: TelemetrySink;
  /** Time between two searches for buckets that can be forgotten. Unit: ms. */
  readonly cleanupIntervalMs: () => number;
  /** Limits that several processes share; undefined where there are none. */
  readonly shared: SharedLimits | undefined;
}

/** Pairs of entity and operation that are counted at a time. */
export const BUCKETS_MAX = 100_000;
/** Longer keys are kept as their hash. Unit: UTF-16 code units. */
const KEY_LENGTH_MAX = 128;
/** Where all buckets are in use, searches for idle ones are at least so far apart. Unit: ms. */
const CROWDED_CLEANUP_MS = 1_000;

const EVENTS = eventNames(
  ["foundation", "foundation", "infra", "rate_limiter"],
  ["request_allowed", "request_denied", "rate_limiter_exception", "bucket_reset"],
);

/** Counts how often entities do things, and refuses what is too often. */
export class RateLimiter {
  readonly #parts: RateLimiterParts;
  readonly #buckets = new Map<string, Bucket>();
  #cleanedMs: number;

  constructor(parts: RateLimiterParts) {
    this.#parts = parts;
    this.#cleanedMs = parts.clock.now();
  }

  /** Pairs of entity and operation that are counted now. */
  get bucketCount(): number {
    return this.#buckets.size;
  }

  /**
   * Counts a call in a fixed window, as Foundation 1.x does.
   *
   * @throws FoundationError as `check`
   */
  checkRate(
    entityId: RateKey,
    operation: RateKey,
    limit: number,
    windowMs: number,
    metadata?: Metadata,
  ): void {
    this.check(entityId, operation, { limit, windowMs }, metadata);
  }

  /**
   * Counts a call, and refuses it where it is one too many.
   *
   * @throws FoundationError `rate_limit_exceeded` (6001), `context.retryAfterMs` tells when there
   *   is room; `rate_limiter_exception` (6003) with a rule that cannot be used, or with more keys
   *   in use than can be counted; `validation_failed` (6008) with a key that is no text or number
   */
  check(
    entityId: RateKey,
    operation: RateKey,
    options: RateRuleOptions,
    metadata?: Metadata,
  ): void {
    const key = keyOf(entityId, operation);
    const about: About = { entityId, operation, metadata };
    const rule = this.#plan(options, about);
    this.#judge(this.#bucket(key, rule, about).take(this.#parts.clock.now()), rule, about);
  }

  /**
   * As `check`, but counted together with all processes that use the same store.
   *
   * @throws FoundationError as `check`; `rate_limiter_exception` (6003) without a store,
   *   (6007) where the store fails and its `whenUnavailable` is `refuse`
   */
  async checkShared(
    entityId: RateKey,
    operation: RateKey,
    options: RateRuleOptions,
    metadata?: Metadata,
  ): Promise<void> {
    const key = keyOf(entityId, operation);
    const about: About = { entityId, operation, metadata };
    const rule = this.#plan(options, about);
    let verdict: RateVerdict | "local";
    try {
      verdict = await this.#store().take(key, rule);
    } catch (thrown) {
      this.#tellFailure(about, thrown);
      throw thrown;
    }
    if (verdict === "local") this.check(entityId, operation, options, metadata);
    else this.#judge(verdict, rule, about);
  }

  /**
   * What is known of the calls of an entity; of one that has made none, the defaults of 1.x.
   *
   * @throws FoundationError `validation_failed` (6008)
   */
  getStatus(entityId: RateKey, operation: RateKey): RateStatus {
    const bucket = this.#buckets.get(keyOf(entityId, operation));
    const rule = bucket?.rule ?? RATE_DEFAULTS;
    const unused = { isAllowed: true, used: 0, remaining: rule.limit, retryAfterMs: 0 };
    return statusOf(entityId, rule, bucket?.look(this.#parts.clock.now()) ?? unused);
  }

  /**
   * What the store says of the calls of an entity.
   *
   * @throws FoundationError `validation_failed` (6008); `rate_limiter_exception` as `checkShared`,
   *   also where the store is to be done without
   */
  async getSharedStatus(
    entityId: RateKey,
    operation: RateKey,
    options: RateRuleOptions,
  ): Promise<RateStatus> {
    const rule = planRule(options);
    return statusOf(entityId, rule, await this.#store().look(keyOf(entityId, operation), rule));
  }

  /**
   * Forgets what an entity did: its next call is its first.
   *
   * @throws FoundationError `validation_failed` (6008)
   */
  reset(entityId: RateKey, operation: RateKey): void {
    this.#buckets.delete(keyOf(entityId, operation));
    this.#tell("bucket_reset", { entityId, operation });
  }

  /**
   * As `reset`, of what is counted together.
   *
   * @throws FoundationError as `getSharedStatus`
   */
  async resetShared(
    entityId: RateKey,
    operation: RateKey,
    options: RateRuleOptions,
  ): Promise<void> {
    await this.#store().reset(keyOf(entityId, operation), planRule(options));
    this.#tell("bucket_reset", { entityId, operation });
  }

  /**
   * Runs a function where the limit allows it. Synchronous where the function is.
   *
   * @throws FoundationError as `check`; `rate_limited_operation_failed` (6009) where it fails
   */
  executeWithLimit<T>(
    entityId: RateKey,
    operation: RateKey,
    limit: number,
    windowMs: number,
    run: () => T,
    metadata?: Metadata,
  ): T {
    if (typeof run !== "function") throw refuseRule("what is run must be a function", {});
    this.checkRate(entityId, operation, limit, windowMs, metadata);
    const fail = (thrown: unknown): FoundationError => operationFailed(entityId, operation, thrown);
    let value: T;
    try {
      value = run();
    } catch (thrown) {
      throw fail(thrown);
    }
    if (!isThenable(value)) return value;
    return Promise.resolve(value).catch((thrown: unknown) => {
      throw fail(thrown);
    }) as T;
  }

  #store(): SharedLimits {
    const { shared } = this.#parts;
    if (shared !== undefined) return shared;
    throw refuseRule("there is no store that rate limits could be shared through", {});
  }

  #plan(options: RateRuleOptions, about: About): RateRule {
    try {
      return planRule(options);
    } catch (thrown) {
      this.#tellFailure(about, thrown);
      throw thrown;
    }
  }

  #bucket(key: string, rule: RateRule, about: About): Bucket {
    const nowMs = this.#parts.clock.now();
    if (nowMs - this.#cleanedMs >= this.#parts.cleanupIntervalMs()) this.#cleanUp(nowMs);
    const known = this.#buckets.get(key);
    const isAlike =
      known?.rule.algorithm === rule.algorithm && known.rule.windowMs === rule.windowMs;
    if (known !== undefined && isAlike) {
      if (known.rule.limit !== rule.limit || known.rule.burst !== rule.burst) known.adopt(rule);
      return known;
    }
    if (known === undefined) this.#makeRoom(nowMs, about);
    const bucket = openBucket(rule, nowMs);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** A key that cannot be counted is refused: to let it through would lift the limit. */
  #makeRoom(nowMs: number, about: About): void {
    if (this.#buckets.size < BUCKETS_MAX) return;
    if (nowMs - this.#cleanedMs >= CROWDED_CLEANUP_MS) this.#cleanUp(nowMs);
    if (this.#buckets.size < BUCKETS_MAX) return;
    const error = refuseRule(`${BUCKETS_MAX} keys are counted already, no more can be`, {});
    this.#tellFailure(about, error);
    throw error;
  }

  #cleanUp(nowMs: number): void {
    this.#cleanedMs = nowMs;
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isIdle(nowMs)) this.#buckets.delete(key);
    }
  }

  #judge(verdict: RateVerdict, { limit, windowMs }: RateRule, about: About): void {
    const { isAllowed, used, retryAfterMs } = verdict;
    const { entityId, operation, metadata } = about;
    if (isAllowed) {
      const facts = { entityId, operation, count: used, limit, windowMs };
      return this.#tell("request_allowed", withMetadata(facts, metadata));
    }
    const facts = { entityId, operation, limit, windowMs };
    this.#tell("request_denied", withMetadata(facts, metadata));
    const text = `more than ${limit} calls of '${String(operation)}' within ${windowMs} ms`;
    const context = { ...facts, retryAfterMs };
    throw new FoundationError("rate_limit_exceeded", text, { context });
  }

  #tellFailure({ entityId, operation, metadata }: About, thrown: unknown): void {
    const reason = thrownText(thrown);
    const facts = { entityId, operation, reason };
    this.#tell("rate_limiter_exception", withMetadata(facts, metadata));
  }

  #tell(event: keyof typeof EVENTS, metadata: Metadata): void {
    this.#parts.telemetry.execute(EVENTS[event], ONE, metadata);
  }
}

function statusOf(
  entityId: RateKey,
  { limit, windowMs, algorithm }: Omit<RateRule, "burst">,
  { isAllowed, used, remaining, retryAfterMs }: RateVerdict,
): RateStatus {
  const status = isAllowed ? "available" : "rate_limited";
  return {
    ...{ status, entityId, currentCount: used, limit, windowMs, algorithm },
    ...{ remaining, retryAfterMs },
  };
}

/** The length in front keeps `a` of `bc` apart from `ab` of `c`. */
function keyOf(entityId: RateKey, operation: RateKey): string {
  const entity = textOf("entityId", entityId);
  const key = `${entity.length}:${entity}:${textOf("operation", operation)}`;
  if (key.length <= KEY_LENGTH_MAX) return key;
  return createHash("sha256").update(key).digest("base64");
}

function textOf(name: string, value: RateKey): string {
  if (typeof value === "string") return value;
  const isPlain = ["number", "bigint", "boolean"].includes(typeof value);
  if (isPlain && !Number.isNaN(value)) return String(value);
  const text = `${name} must be a text or a number`;
  throw new FoundationError("validation_failed", text, { numericCode: 6008, context: { name } });
}

function operationFailed(entityId: RateKey, operation: RateKey, cause: unknown): FoundationError {
  const reason = thrownText(cause);
  const options = { cause, context: { entityId, operation } };
  return new FoundationError("rate_limited_operation_failed", reason, options);
}
