import type { Clock } from "../../../base/clock.ts";
import { FoundationError } from "../../../base/errors.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import type { Measurements, Metadata, TelemetrySink } from "../../sinks.ts";
import { isName, NAME_LENGTH_MAX, wholeNumber } from "../checks.ts";
import { eventNames, ONE } from "../reports.ts";
import { type Lease, Pool, type PoolStatus } from "./pool.ts";
import { type PoolOptions, type PoolSizes, planPool, refusePool } from "./pool-options.ts";

/** How long a caller waits for a worker. Defaults: {@link CHECKOUT_DEFAULTS}. */
export interface CheckoutOptions {
  /** Longest wait. Unit: ms. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`; the function that has its worker goes on. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** How long a caller waits for a worker unless its options say otherwise. */
export const CHECKOUT_DEFAULTS = Object.freeze({
  timeoutMs: 5_000, // as Foundation 1.x
});

/** How a pool is stopped. Defaults: {@link STOP_POOL_DEFAULTS}. */
export interface StopPoolOptions {
  /** Time that workers in use have to come back; then they are ended. Unit: ms. */
  readonly graceMs?: number;
}

/** How a pool is stopped unless the options say otherwise. */
export const STOP_POOL_DEFAULTS = Object.freeze({
  graceMs: 5_000, // as a supervisor gives its children
});

/** What a connection manager stands on. */
export interface ConnectionManagerParts {
  readonly clock: Clock;
  readonly telemetry: TelemetrySink;
  /** Sizes of pools whose options name none. */
  readonly poolDefaults: (name: string) => Partial<PoolSizes>;
  /** Whether workers are kept for the next caller. */
  readonly isPooling: () => boolean;
}

/** Pools at a time: one belongs to a service that is called, not to a request. */
const POOLS_MAX = 1_000;

const EVENTS = eventNames(
  ["foundation", "foundation", "connection_pool"],
  ["pool_started", "pool_stopped", "checkout", "checkin", "timeout"],
);

// Pools of all kinds of workers stand in one map; who asks for one by name knows its kind.
type AnyPool = Pool<unknown, unknown>;

/** The connection pools of a node, by name. */
export class ConnectionManager {
  readonly #parts: ConnectionManagerParts;
  readonly #pools = new Map<string, AnyPool | "starting">();

  constructor(parts: ConnectionManagerParts) {
    this.#parts = parts;
  }

  /**
   * Starts a pool; resolves when the workers that are always there have been made.
   *
   * @throws FoundationError `already_exists`, `invalid_config`, `invalid_worker_module`,
   *   `worker_failed` where one of the workers cannot be made: there is no pool then
   */
  async startPool<Worker, Args = undefined>(
    name: string,
    options: PoolOptions<Worker, Args>,
  ): Promise<void> {
    checkName(name);
    if (this.#pools.has(name)) {
      const context = { pool: name };
      const kind = { numericCode: 28_427, context };
      throw new FoundationError("already_exists", `there is a pool '${name}' already`, kind);
    }
    if (this.#pools.size >= POOLS_MAX) throw refusePool(`there are ${POOLS_MAX} pools already`, {});
    const { clock, isPooling, poolDefaults } = this.#parts;
    const plan = planPool(options, poolDefaults(name));
    const pool = new Pool(plan, clock, isPooling);
    this.#pools.set(name, "starting");
    try {
      await pool.start();
    } catch (thrown) {
      this.#pools.delete(name);
      throw thrown;
    }
    this.#pools.set(name, pool as unknown as AnyPool);
    const { size, maxOverflow, strategy } = plan;
    this.#tell("pool_started", ONE, { poolName: name, size, maxOverflow, strategy });
  }

  /**
   * Stops a pool: those who wait are refused, its workers ended.
   *
   * @throws FoundationError `not_found` (28418)
   */
  async stopPool(name: string, options: StopPoolOptions = {}): Promise<void> {
    const { graceMs } = { ...STOP_POOL_DEFAULTS, ...options };
    wholeNumber("graceMs", graceMs, [0, DELAY_MS_MAX]);
    const pool = this.#find(name);
    this.#pools.delete(name);
    await pool.stop(graceMs);
    this.#tell("pool_stopped", ONE, { poolName: name });
  }

  /**
   * Changes the size of a pool. Workers that are too many are ended when they come back.
   *
   * @throws FoundationError `not_found` (28418), `invalid_config`
   */
  resizePool(name: string, sizes: Pick<PoolSizes, "size" | "maxOverflow">): void {
    this.#find(name).resize(sizes);
  }

  /** The names of all pools that have started, oldest first. */
  listPools(): string[] {
    return [...this.#pools].filter(([, pool]) => pool !== "starting").map(([name]) => name);
  }

  /** Whether there is a pool of that name. */
  has(name: string): boolean {
    return typeof this.#pools.get(name) === "object";
  }

  /**
   * What a pool is doing.
   *
   * @throws FoundationError `not_found` (28418)
   */
  getPoolStatus(name: string): PoolStatus {
    return this.#find(name).status;
  }

  /**
   * Runs a function with a worker of a pool, which it has for itself until the function is done.
   * Functions with different workers run at the same time. What the function throws is thrown on.
   *
   * @throws FoundationError `pool_not_found`, `checkout_timeout`, `aborted`, `too_many_waiting`,
   *   `pool_stopped`, `worker_failed`
   */
  async withConnection<Worker, T>(
    name: string,
    run: (worker: Worker) => T | Promise<T>,
    options: CheckoutOptions | number = {},
  ): Promise<T> {
    if (typeof run !== "function") throw refusePool("what is run must be a function", {});
    const wait = typeof options === "number" ? { timeoutMs: options } : options;
    const lease = await this.checkOut<Worker>(name, wait);
    try {
      return await run(lease.worker);
    } finally {
      lease.giveBack();
    }
  }

  /**
   * Takes a worker of a pool into one's own hands: it has to be given back, once.
   *
   * @throws FoundationError as `withConnection`
   */
  async checkOut<Worker>(name: string, options: CheckoutOptions = {}): Promise<HeldWorker<Worker>> {
    const pool = this.#pools.get(name);
    if (pool === undefined || pool === "starting") {
      const text = `there is no pool '${String(name)}'`;
      throw new FoundationError("pool_not_found", text, { context: { pool: name } });
    }
    const { timeoutMs, signal } = { ...CHECKOUT_DEFAULTS, ...options };
    const { clock } = this.#parts;
    const startMs = clock.now();
    let lease: Lease<unknown>;
    try {
      lease = await pool.checkOut({ timeoutMs, signal });
    } catch (thrown) {
      if (thrown instanceof FoundationError && thrown.code === "checkout_timeout") {
        this.#tell("timeout", { timeoutMs }, { poolName: name });
      }
      throw thrown;
    }
    this.#tell("checkout", { checkoutTimeMs: clock.now() - startMs }, { poolName: name });
    const giveBack = (isBroken = false): void => {
      pool.checkIn(lease, isBroken);
      this.#tell("checkin", ONE, { poolName: name });
    };
    return { worker: lease.worker as Worker, giveBack };
  }

  /** Stops all pools. */
  async close(): Promise<void> {
    await Promise.all(this.listPools().map(async (name) => this.stopPool(name, { graceMs: 0 })));
  }

  #find(name: string): AnyPool {
    const pool = this.#pools.get(name);
    if (pool !== undefined && pool !== "starting") return pool;
    const kind = { numericCode: 28_418, context: { pool: name } };
    throw new FoundationError("not_found", `there is no pool '${String(name)}'`, kind);
  }

  #tell(event: keyof typeof EVENTS, measurements: Measurements, metadata: Metadata): void {
    this.#parts.telemetry.execute(EVENTS[event], measurements, metadata);
  }
}

/** A worker in one's own hands. */
export interface HeldWorker<Worker> {
  readonly worker: Worker;
  /** Gives it back; `isBroken`: it is not to be used again. More than once does nothing. */
  giveBack(isBroken?: boolean): void;
}

function checkName(name: string): void {
  if (isName(name)) return;
  throw refusePool(`the name of a pool is a text of 1 to ${NAME_LENGTH_MAX} characters`, {});
}
