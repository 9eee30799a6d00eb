import { isRecord } from "./checks.ts";
import type { PoolSizes } from "./pools/pool-options.ts";

/** Where limits are read from; the configuration service is one. */
export interface ConfigReader {
  /** The value at a path, or the fallback where there is none or nobody can tell. */
  getWithDefault(path: readonly string[], fallback: unknown): unknown;
}

/** Knows nothing: all limits are those of Foundation 1.x. */
export const NO_CONFIG: ConfigReader = Object.freeze({
  getWithDefault: (_path: readonly string[], fallback: unknown) => fallback,
});

/** A limit as the configuration words it. */
export interface ConfiguredRate {
  readonly limit: number;
  readonly windowMs: number;
}

/** How breakers are to be, by `infrastructure.circuitBreaker.defaultConfig`. */
export interface ConfiguredBreaker {
  readonly failureThreshold: number;
  readonly recoveryTimeMs: number;
  readonly callTimeoutMs: number;
}

/** The defaults of Foundation 1.x. */
export const BREAKER_CONFIG_DEFAULTS: ConfiguredBreaker = Object.freeze({
  failureThreshold: 5, // as Foundation 1.x
  recoveryTimeMs: 30_000, // as Foundation 1.x
  callTimeoutMs: 5_000, // as Foundation 1.x
});

const CLEANUP_MS = 300_000;

const PATHS = {
  rates: ["infrastructure", "rateLimiting", "defaultRules"],
  ratesEnabled: ["infrastructure", "rateLimiting", "enabled"],
  cleanup: ["infrastructure", "rateLimiting", "cleanupInterval"],
  breaker: ["infrastructure", "circuitBreaker", "defaultConfig"],
  breakersEnabled: ["infrastructure", "circuitBreaker", "enabled"],
  pool: ["infrastructure", "connectionPool", "defaultConfig"],
  poolsEnabled: ["infrastructure", "connectionPool", "enabled"],
} as const;

/**
 * The limits of the configuration, read whenever they are needed: a change counts from the next
 * call on. What is no usable number is as if it were not there.
 */
export class ConfigLimits {
  readonly #config: ConfigReader;

  constructor(config: ConfigReader) {
    this.#config = config;
  }

  /** Whether rate limits are checked. */
  get isRateLimiting(): boolean {
    return this.#config.getWithDefault(PATHS.ratesEnabled, true) !== false;
  }

  /** Whether breakers are asked. */
  get isBreaking(): boolean {
    return this.#config.getWithDefault(PATHS.breakersEnabled, true) !== false;
  }

  /** Whether pools keep workers. */
  get isPooling(): boolean {
    return this.#config.getWithDefault(PATHS.poolsEnabled, true) !== false;
  }

  /** Time between two searches for keys of limits that can be forgotten. Unit: ms. */
  get cleanupIntervalMs(): number {
    return positive(this.#config.getWithDefault(PATHS.cleanup, CLEANUP_MS)) ?? CLEANUP_MS;
  }

  /**
   * The limit of a rule, by its name here (`apiCalls`) or in Foundation 1.x (`api_calls`);
   * undefined where the configuration has none.
   */
  rate(rule: string): ConfiguredRate | undefined {
    const rules = this.#config.getWithDefault(PATHS.rates, undefined);
    const given = isRecord(rules) ? (own(rules, rule) ?? own(rules, camelCased(rule))) : undefined;
    if (!isRecord(given)) return undefined;
    const { limit } = given;
    const windowMs = positive(given["windowMs"] ?? given["scale"]);
    return windowMs === undefined || !isCount(limit) ? undefined : { limit, windowMs };
  }

  /** How breakers are that nothing else is said of. */
  get breaker(): ConfiguredBreaker {
    const given = this.#config.getWithDefault(PATHS.breaker, undefined);
    if (!isRecord(given)) return BREAKER_CONFIG_DEFAULTS;
    const { failureThreshold, recoveryTimeMs, callTimeoutMs } = BREAKER_CONFIG_DEFAULTS;
    return {
      failureThreshold: positive(given["failureThreshold"]) ?? failureThreshold,
      recoveryTimeMs: positive(given["recoveryTime"]) ?? recoveryTimeMs,
      callTimeoutMs: positive(given["callTimeout"]) ?? callTimeoutMs,
    };
  }

  /** How large pools are that nothing else is said of. */
  get pool(): Partial<PoolSizes> {
    const given = this.#config.getWithDefault(PATHS.pool, undefined);
    if (!isRecord(given)) return {};
    const { size, maxOverflow, strategy } = given;
    return {
      ...(isCount(size) && { size }),
      ...(isCount(maxOverflow) && { maxOverflow }),
      ...((strategy === "lifo" || strategy === "fifo") && { strategy }),
    };
  }
}

function own(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function camelCased(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function positive(value: unknown): number | undefined {
  return isCount(value) && value > 0 ? value : undefined;
}
