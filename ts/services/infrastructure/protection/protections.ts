import type { ErrorCode } from "../../../base/error-codes.ts";
import { FoundationError } from "../../../base/errors.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { isRecord, knownKeys, type Refuse, wholeNumber } from "../checks.ts";

/** The limits of one protection, by the names of Foundation 1.x. */
export interface Protection {
  readonly circuitBreaker: {
    /** Failures within `recoveryTimeMs` that are borne. Unit: failures. */
    readonly failureThreshold: number;
    /** Time until an open breaker lets calls through again. Unit: ms. */
    readonly recoveryTimeMs: number;
  };
  readonly rateLimiter: {
    /** Length of the window. Unit: ms. */
    readonly scaleMs: number;
    /** How often within it. Unit: calls. */
    readonly limit: number;
  };
  readonly connectionPool: {
    /** Workers that are always there. Unit: workers. */
    readonly size: number;
    /** Workers beyond those. Unit: workers. */
    readonly maxOverflow: number;
  };
}

const LAYERS = ["circuitBreaker", "rateLimiter", "connectionPool"] as const;
type Layer = (typeof LAYERS)[number];

/** How Foundation 1.x spells what we spell otherwise. */
const ORIGINAL_NAMES: Readonly<Record<string, string>> = {
  circuit_breaker: "circuitBreaker",
  rate_limiter: "rateLimiter",
  connection_pool: "connectionPool",
  failure_threshold: "failureThreshold",
  recovery_time: "recoveryTimeMs",
  recoveryTime: "recoveryTimeMs",
  scale: "scaleMs",
  max_overflow: "maxOverflow",
};

const FIELDS: Readonly<Record<Layer, Readonly<Record<string, readonly [number, number]>>>> = {
  circuitBreaker: { failureThreshold: [1, 10_000], recoveryTimeMs: [1, DELAY_MS_MAX] },
  rateLimiter: { scaleMs: [1, Number.MAX_SAFE_INTEGER], limit: [0, Number.MAX_SAFE_INTEGER] },
  connectionPool: { size: [0, 100_000], maxOverflow: [0, 100_000] },
};

const CODES: Readonly<Record<Layer, ErrorCode>> = {
  circuitBreaker: "invalid_circuit_breaker_config",
  rateLimiter: "invalid_rate_limiter_config",
  connectionPool: "invalid_connection_pool_config",
};

function refusing(code: ErrorCode): Refuse {
  return (text, context) => new FoundationError(code, text, { context });
}

function renamed(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [ORIGINAL_NAMES[key] ?? key, field]),
  );
}

/**
 * Checks a protection, in our spelling or that of Foundation 1.x, in its order: the whole, the
 * keys, then each layer.
 *
 * @throws FoundationError `invalid_config_format`, `missing_required_keys`,
 *   `invalid_circuit_breaker_config`, `invalid_rate_limiter_config`,
 *   `invalid_connection_pool_config`
 */
export function planProtection(config: unknown): Protection {
  const badFormat = refusing("invalid_config_format");
  if (!isRecord(config)) throw badFormat("a protection must be an object", {});
  const layers = renamed(config);
  knownKeys("a protection", layers, LAYERS, badFormat);
  const missing = LAYERS.filter((layer) => !Object.hasOwn(layers, layer));
  if (missing.length > 0) {
    const text = `a protection needs ${missing.join(" and ")}`;
    throw new FoundationError("missing_required_keys", text, { context: { missing } });
  }
  const plan = Object.fromEntries(LAYERS.map((layer) => [layer, planLayer(layer, layers[layer])]));
  return Object.freeze(plan) as unknown as Protection;
}

function planLayer(layer: Layer, value: unknown): Readonly<Record<string, number>> {
  const refuse = refusing(CODES[layer]);
  if (!isRecord(value)) throw refuse(`${layer} must be an object`, {});
  const given = renamed(value);
  const fields = FIELDS[layer];
  knownKeys(layer, given, Object.keys(fields), refuse);
  const plan = Object.entries(fields).map(([name, range]) => [
    name,
    wholeNumber(`${layer}.${name}`, given[name], range, refuse),
  ]);
  const checked = Object.freeze(Object.fromEntries(plan) as Record<string, number>);
  if (checked["size"] === 0 && checked["maxOverflow"] === 0) {
    throw refuse("size and maxOverflow are both 0: no worker could ever be made", {});
  }
  return checked;
}

/** Protections at a time: one belongs to a service that is called, not to a request. */
const PROTECTIONS_MAX = 10_000;

/** The protections that were configured, by key. */
export class Protections {
  readonly #protections = new Map<string, Protection>();

  /** The protection of a key, or undefined. */
  find(key: string): Protection | undefined {
    return this.#protections.get(key);
  }

  /**
   * The protection of a key.
   *
   * @throws FoundationError `not_found` (28417)
   */
  get(key: string): Protection {
    const protection = this.#protections.get(key);
    if (protection !== undefined) return protection;
    const text = `no protection was configured for '${String(key)}'`;
    const kind = { numericCode: 28_417, context: { key } };
    throw new FoundationError("not_found", text, kind);
  }

  /**
   * Keeps the protection of a key.
   *
   * @throws FoundationError `resource_exhausted`
   */
  set(key: string, protection: Protection): void {
    if (!this.#protections.has(key) && this.#protections.size >= PROTECTIONS_MAX) {
      const text = `there are ${PROTECTIONS_MAX} protections already`;
      throw new FoundationError("resource_exhausted", text);
    }
    this.#protections.set(key, protection);
  }

  /** All keys, oldest first. */
  keys(): string[] {
    return [...this.#protections.keys()];
  }
}
