import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import type { ServiceCore } from "../service-slot.ts";
import { NO_TELEMETRY, type TelemetrySink } from "../sinks.ts";
import { CircuitBreakers } from "./breaker/circuit-breakers.ts";
import { ConfigLimits, type ConfigReader, NO_CONFIG } from "./config-limits.ts";
import { RateLimiter } from "./limits/rate-limiter.ts";
import type { SharedLimits } from "./limits/shared-limits.ts";
import { ConnectionManager } from "./pools/connections.ts";
import { ProtectedCalls } from "./protection/protected-calls.ts";
import { type Protection, Protections } from "./protection/protections.ts";
import { Limiter } from "./resilience/semaphores.ts";

/** A change of what was configured, as plain data: for whoever keeps several nodes alike. */
export type InfrastructureOperation = {
  readonly kind: "protection_configured";
  readonly key: string;
  readonly protection: Protection;
};

/** What the service stands on. */
export interface InfrastructureOptions {
  /** Takes the time. Default: the system's clock. */
  readonly clock?: Clock;
  /** Where it reports. Default: nowhere. */
  readonly telemetry?: TelemetrySink;
  /** Where limits are read from. Default: those of Foundation 1.x. */
  readonly config?: ConfigReader;
  /** Where rate limits are shared through. Default: nowhere. */
  readonly sharedLimits?: SharedLimits;
  /** Hears of changes made here, not of those that came by `apply`. Default: nobody. */
  readonly onOperation?: (operation: InfrastructureOperation) => void;
}

/**
 * Breakers, limits, pools and protections of a node; one that starts again takes over the last's.
 */
export class InfrastructureCore implements ServiceCore {
  readonly clock: Clock;
  readonly telemetry: TelemetrySink;
  readonly limits: ConfigLimits;
  readonly breakers: CircuitBreakers;
  readonly limiter: RateLimiter;
  readonly pools: ConnectionManager;
  readonly protections: Protections;
  readonly calls: ProtectedCalls;
  readonly #bulkheads: Limiter;
  readonly #onOperation: (operation: InfrastructureOperation) => void;

  constructor(options: InfrastructureOptions = {}, last?: InfrastructureCore) {
    const { clock = SYSTEM_CLOCK, telemetry = NO_TELEMETRY, config = NO_CONFIG } = options;
    const limits = new ConfigLimits(config);
    this.clock = clock;
    this.telemetry = telemetry;
    this.limits = limits;
    this.#onOperation = options.onOperation ?? (() => {});
    this.protections = last?.protections ?? new Protections();
    this.breakers = last?.breakers ?? new CircuitBreakers(clock, telemetry);
    this.limiter =
      last?.limiter ??
      new RateLimiter({
        ...{ clock, telemetry, shared: options.sharedLimits },
        cleanupIntervalMs: () => limits.cleanupIntervalMs,
      });
    this.pools =
      last?.pools ??
      new ConnectionManager({
        ...{ clock, telemetry },
        poolDefaults: (name) => ({
          ...limits.pool,
          ...this.protections.find(name)?.connectionPool,
        }),
        isPooling: () => limits.isPooling,
      });
    this.#bulkheads = last === undefined ? new Limiter(clock) : last.#bulkheads;
    const { breakers, limiter, pools, protections } = this;
    this.calls = new ProtectedCalls({
      ...{ clock, telemetry, limits, breakers, limiter, pools, protections },
      bulkheads: this.#bulkheads,
    });
  }

  /** Changes what is configured here, and tells others of it. */
  change(operation: InfrastructureOperation): void {
    this.apply(operation);
    this.#onOperation(operation);
  }

  /** Takes over a change: of the breaker and of the pool that have the key for a name, too. */
  apply({ key, protection }: InfrastructureOperation): void {
    const { circuitBreaker, connectionPool } = protection;
    const { failureThreshold: tolerance, recoveryTimeMs: refreshMs } = circuitBreaker;
    this.protections.set(key, protection);
    const plan = this.breakers.planOf(key);
    if (plan?.tolerance !== tolerance || plan.refreshMs !== refreshMs) {
      if (plan !== undefined) this.breakers.remove(key);
      this.breakers.startFuseInstance(key, { tolerance, refreshMs });
    }
    if (this.pools.has(key)) this.pools.resizePool(key, connectionPool);
  }

  /** Ends all pools; the rest keeps nothing that has to be ended. */
  close(): void {
    void this.pools.close();
  }
}
