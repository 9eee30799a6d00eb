import { FoundationError } from "../../base/errors.ts";
import { DELAY_MS_MAX } from "../../base/option-checks.ts";
import { ServiceSlot } from "../service-slot.ts";
import type { BreakerReport, CircuitBreakers } from "./breaker/circuit-breakers.ts";
import { isName, isRecord, type Refuse, wholeNumber } from "./checks.ts";
import { InfrastructureCore, type InfrastructureOptions } from "./infrastructure-core.ts";
import type { RateLimiter, RateStatus } from "./limits/rate-limiter.ts";
import type { ConnectionManager } from "./pools/connections.ts";
import type { PoolStatus } from "./pools/pool.ts";
import type { ProtectedCallOptions } from "./protection/call-options.ts";
import type { CallContext } from "./protection/protected-calls.ts";
import { type Protection, planProtection } from "./protection/protections.ts";

/** How many failures a breaker bears, and for how long it stays open. */
export interface CircuitBreakerConfig {
  /** Failures within `recoveryTimeMs` that are borne; one more opens it. Unit: failures. */
  readonly failureThreshold: number;
  /** Time until it lets calls through again. Unit: ms. */
  readonly recoveryTimeMs: number;
}

/** What the layers of one protection are doing. */
export interface ProtectionStatus {
  /** Of the breaker that has the key for a name. */
  readonly circuitBreaker: BreakerReport;
  /** Of the limit that has the key for a rule and for an id. */
  readonly rateLimiter: RateStatus;
  /** Of the pool that has the key for a name; undefined before it is started. */
  readonly connectionPool: PoolStatus | undefined;
}

/** What the parts of the service are doing. */
export interface InfrastructureStatus {
  readonly circuitBreaker: { readonly breakers: number; readonly open: number };
  readonly rateLimiter: { readonly buckets: number };
  readonly connectionPool: { readonly pools: number; readonly workers: number };
  /** What stands for it in Foundation 1.x. */
  readonly fuse: "running" | "not_started";
  /** What stands for it in Foundation 1.x. */
  readonly hammer: "configured" | "not_configured";
  /** Unit: ms since 1970. */
  readonly timestamp: number;
}

const INITIALIZED = ["foundation", "foundation", "infrastructure", "infrastructure_initialized"];

const badConfiguration: Refuse = (text, context) =>
  new FoundationError("invalid_configuration", text, { context });

/** Protection of calls to other services: `node.infrastructure`. */
export class Infrastructure {
  readonly #slot: ServiceSlot<InfrastructureCore>;

  constructor(slot: ServiceSlot<InfrastructureCore>) {
    this.#slot = slot;
  }

  /** One that belongs to no node and is up at once; `close` ends it. */
  static standalone(
    options: InfrastructureOptions = {},
  ): Infrastructure & { close(): Promise<void> } {
    const slot = new ServiceSlot<InfrastructureCore>("infrastructure", 28_400);
    const core = new InfrastructureCore(options);
    slot.install(core);
    const close = async (): Promise<void> => {
      slot.remove(core);
      await core.pools.close();
    };
    return Object.assign(new Infrastructure(slot), { close });
  }

  /** The circuit breakers. @throws FoundationError `service_unavailable` (28400) */
  get circuitBreaker(): CircuitBreakers {
    return this.#slot.core.breakers;
  }

  /** The rate limits. @throws FoundationError `service_unavailable` (28400) */
  get rateLimiter(): RateLimiter {
    return this.#slot.core.limiter;
  }

  /** The connection pools. @throws FoundationError `service_unavailable` (28400) */
  get connectionManager(): ConnectionManager {
    return this.#slot.core.pools;
  }

  /**
   * Says that the service is wanted; its parts are there as long as it is. As often as one likes.
   * Answers with what had to be started: nothing.
   *
   * @throws FoundationError `service_unavailable` (28400)
   */
  initializeAllInfraComponents(): readonly string[] {
    const { telemetry, clock } = this.#slot.core;
    telemetry.execute(INITIALIZED, { counter: 1 }, { timestamp: clock.wallNow() });
    return [];
  }

  /** What the parts of the service are doing; also while it is down. */
  getInfrastructureStatus(): InfrastructureStatus {
    if (!this.#slot.isUp) {
      return {
        circuitBreaker: { breakers: 0, open: 0 },
        rateLimiter: { buckets: 0 },
        connectionPool: { pools: 0, workers: 0 },
        ...{ fuse: "not_started", hammer: "not_configured", timestamp: Date.now() },
      };
    }
    const { breakers, limiter, pools, clock } = this.#slot.core;
    const [names, poolNames] = [breakers.list(), pools.listPools()];
    const open = names.filter((name) => breakers.getStatus(name) === "open").length;
    const workers = poolNames.reduce((sum, name) => sum + pools.getPoolStatus(name).workers, 0);
    return {
      circuitBreaker: { breakers: names.length, open },
      rateLimiter: { buckets: limiter.bucketCount },
      connectionPool: { pools: poolNames.length, workers },
      ...{ fuse: "running", hammer: "configured", timestamp: clock.wallNow() },
    };
  }

  /**
   * Runs a function behind the layers that the options name, in this order: retry, and in each of
   * its attempts rate limit, breaker, bulkhead, pool, time limit, function. Without options: behind
   * all that was configured for the key. A `FoundationError` of the function is thrown as it is,
   * anything else as the `cause` of an `execution_error`.
   *
   * @throws FoundationError `rate_limit_exceeded` (6001), `circuit_breaker_blown` (5004),
   *   `circuit_breaker_not_found` (5005), `pool_not_found`, `checkout_timeout`, `worker_failed`,
   *   `pool_stopped`, `too_many_waiting`, `timeout` (4301), `aborted`, `execution_error`;
   *   `exception` with arguments that cannot be used; `not_found` (28417) without options where
   *   nothing was configured; `max_elapsed` and `progress_timeout` of `retry`;
   *   `service_unavailable` (28400)
   */
  async executeProtected<T, Worker = unknown>(
    key: string,
    options: ProtectedCallOptions,
    run: (context: CallContext<Worker>) => T | Promise<T>,
  ): Promise<T>;
  async executeProtected<T, Worker = unknown>(
    key: string,
    run: (context: CallContext<Worker>) => T | Promise<T>,
  ): Promise<T>;
  async executeProtected<T, Worker>(
    key: string,
    first: ProtectedCallOptions | ((context: CallContext<Worker>) => T | Promise<T>),
    second?: (context: CallContext<Worker>) => T | Promise<T>,
  ): Promise<T> {
    const { calls } = this.#slot.core;
    if (typeof first === "function" && second === undefined) {
      return calls.run(key, this.#configured(key), first);
    }
    return calls.run(key, first as ProtectedCallOptions, second as never);
  }

  /**
   * Sets the limits of a key: those of its rate limit, of the breaker and of the pool that have the
   * key for a name. The breaker is started where there is none with these limits; a pool that runs
   * is resized, one that is started later gets these sizes.
   *
   * @throws FoundationError `invalid_config_format`, `missing_required_keys`,
   *   `invalid_circuit_breaker_config`, `invalid_rate_limiter_config`,
   *   `invalid_connection_pool_config`, `invalid_name`
   */
  configureProtection(key: string, config: Protection): void {
    const { core } = this.#slot;
    if (!isName(key)) throw new FoundationError("invalid_name", "the key must be a text");
    core.change({ kind: "protection_configured", key, protection: planProtection(config) });
  }

  /**
   * The limits that were configured for a key.
   *
   * @throws FoundationError `not_found` (28417)
   */
  getProtectionConfig(key: string): Protection {
    return this.#slot.core.protections.get(key);
  }

  /**
   * What the layers of a key are doing.
   *
   * @throws FoundationError `not_found` (28417)
   */
  getProtectionStatus(key: string): ProtectionStatus {
    const { breakers, limiter, pools, protections } = this.#slot.core;
    const { rateLimiter } = protections.get(key);
    const { limit, scaleMs: windowMs } = rateLimiter;
    const status = limiter.getStatus(key, key);
    const isUnused = status.currentCount === 0;
    return {
      circuitBreaker: breakers.getStatistics(key),
      rateLimiter: isUnused ? { ...status, limit, windowMs, remaining: limit } : status,
      connectionPool: pools.has(key) ? pools.getPoolStatus(key) : undefined,
    };
  }

  /** The keys that limits were configured for, oldest first. */
  listProtectionKeys(): string[] {
    return this.#slot.core.protections.keys();
  }

  /**
   * Starts a breaker, with the limits of the configuration where none are given.
   *
   * @throws FoundationError `invalid_name`, `invalid_arguments`, `invalid_configuration`,
   *   `already_exists` (28403), `circuit_breaker_init_failed`
   */
  initializeCircuitBreaker(name: string, config?: CircuitBreakerConfig): void {
    const { breakers, limits } = this.#slot.core;
    if (name === undefined || name === null) {
      throw new FoundationError("invalid_name", "a circuit breaker needs a name");
    }
    if (!isName(name) || (config !== undefined && !isRecord(config))) {
      const text = "the name of a circuit breaker is a text, its configuration an object";
      throw new FoundationError("invalid_arguments", text);
    }
    const { failureThreshold, recoveryTimeMs } = config ?? limits.breaker;
    wholeNumber("failureThreshold", failureThreshold, [1, 10_000], badConfiguration);
    wholeNumber("recoveryTimeMs", recoveryTimeMs, [1, DELAY_MS_MAX], badConfiguration);
    if (breakers.has(name)) {
      const text = `there is a circuit breaker '${name}' already`;
      throw new FoundationError("already_exists", text, { context: { name } });
    }
    try {
      breakers.startFuseInstance(name, { tolerance: failureThreshold, refreshMs: recoveryTimeMs });
    } catch (thrown) {
      throw initFailed(name, thrown);
    }
  }

  #configured(key: string): ProtectedCallOptions {
    const { pools, protections } = this.#slot.core;
    protections.get(key);
    return {
      circuitBreaker: key,
      rateLimiter: [key, key],
      connectionPool: pools.has(key) ? key : undefined,
    };
  }
}

function initFailed(name: string, cause: unknown): FoundationError {
  const text = `the circuit breaker '${name}' could not be started`;
  return new FoundationError("circuit_breaker_init_failed", text, { cause, context: { name } });
}
