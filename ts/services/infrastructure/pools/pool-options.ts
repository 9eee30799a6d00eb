import { FoundationError } from "../../../base/errors.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { knownKeys, type Refuse, wholeNumber } from "../checks.ts";
import { type WorkerModule, type WorkerSource, workerModule } from "./workers.ts";

/** Which idle worker comes next: the one used last, which is warm, or the one used longest ago. */
export type PoolStrategy = "lifo" | "fifo";

/** How many workers a pool has, and which. Defaults: {@link POOL_DEFAULTS}. */
export interface PoolOptions<Worker, Args = undefined> {
  /** Makes the workers. */
  readonly workerModule: WorkerSource<Worker, Args>;
  /** What each worker is made with. Default: nothing. */
  readonly workerArgs?: Args;
  /** Workers that are always there. Unit: workers. */
  readonly size?: number;
  /** Workers beyond those, while all are in use. Unit: workers. */
  readonly maxOverflow?: number;
  /** Which idle worker comes next. */
  readonly strategy?: PoolStrategy;
  /** Those who wait for a worker at a time. Unit: callers. */
  readonly waitingMax?: number;
  /** Time that a worker may take to be made. Unit: ms. */
  readonly createTimeoutMs?: number;
}

/** Sizes that the configuration may set for pools whose options name none. */
export type PoolSizes = Required<
  Pick<PoolOptions<unknown, unknown>, "size" | "maxOverflow" | "strategy">
>;

/** How many workers a pool has unless its options or the configuration say otherwise. */
export const POOL_DEFAULTS: Required<
  Omit<PoolOptions<unknown, unknown>, "workerModule" | "workerArgs">
> = Object.freeze({
  size: 5, // as Foundation 1.x
  maxOverflow: 10, // as Foundation 1.x
  strategy: "lifo", // as Foundation 1.x
  waitingMax: 10_000, // some MiB of promises
  createTimeoutMs: 30_000, // above the time that a connection takes across the world
});

/** Options of a pool, complete and checked. */
export interface PoolPlan<Worker, Args> {
  readonly module: WorkerModule<Worker, Args>;
  readonly args: Args;
  readonly size: number;
  readonly maxOverflow: number;
  readonly strategy: PoolStrategy;
  readonly waitingMax: number;
  readonly createTimeoutMs: number;
}

const WORKERS_MAX = 100_000;
const KEYS = ["workerModule", "workerArgs", ...Object.keys(POOL_DEFAULTS)];

/** The error of a pool's option, or of a worker's, that cannot be used. */
export const refusePool: Refuse = (text, context) =>
  new FoundationError("invalid_config", text, { context });

/**
 * Completes and checks the options of a pool; `defaults` are those of the configuration.
 *
 * @throws FoundationError `invalid_config` with the option, `invalid_worker_module`
 */
export function planPool<Worker, Args>(
  options: PoolOptions<Worker, Args>,
  defaults: Partial<PoolSizes> = {},
): PoolPlan<Worker, Args> {
  knownKeys("the options of a pool", options, KEYS, refusePool);
  const { workerModule: source, workerArgs, ...sizes } = options;
  const plan = { ...POOL_DEFAULTS, ...defaults, ...sizes };
  checkSizes(plan);
  wholeNumber("waitingMax", plan.waitingMax, [0, Number.MAX_SAFE_INTEGER], refusePool);
  wholeNumber("createTimeoutMs", plan.createTimeoutMs, [1, DELAY_MS_MAX], refusePool);
  if (plan.strategy !== "lifo" && plan.strategy !== "fifo") {
    throw refusePool(`strategy must be lifo or fifo, not ${String(plan.strategy)}`, {});
  }
  return { ...plan, module: workerModule(source), args: workerArgs as Args };
}

/**
 * Checks how many workers a pool is to have.
 *
 * @throws FoundationError `invalid_config`
 */
export function checkSizes({ size, maxOverflow }: Pick<PoolSizes, "size" | "maxOverflow">): void {
  wholeNumber("size", size, [0, WORKERS_MAX], refusePool);
  wholeNumber("maxOverflow", maxOverflow, [0, WORKERS_MAX], refusePool);
  if (size + maxOverflow > 0) return;
  throw refusePool("size and maxOverflow are both 0: no worker could ever be made", {});
}
