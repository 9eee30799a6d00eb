import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Wait } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount } from "../../base/option-checks.ts";
import { core } from "../../kernel/native.ts";
import { type CpuOptions, cpuIntensive } from "./cpu-intensive.ts";
import { Job } from "./job.ts";
import { JobMemory } from "./job-memory.ts";
import { LoopMonitor } from "./loop-delay.ts";
import { type SchedulerInfo, SchedulerPool } from "./pool.ts";
import {
  checkSchedulers,
  checkWork,
  SCHEDULER_DEFAULTS,
  type SchedulerOptions,
  WORK_DEFAULTS,
  type WorkOptions,
} from "./scheduler-options.ts";

/** How often items are asked how long they run, as part of the limit. */
const LOOKS_PER_LIMIT = 8;
/** A longer time between two looks helps nobody. Unit: ms. */
const LOOK_MS_MAX = 60_000;

/** Work on all cores: a pool of isolates that take work from one another. */
export class Schedulers {
  #pool: SchedulerPool | undefined;
  #options: SchedulerOptions = {};
  #jobs = 0;
  #isClosed = false;

  /**
   * Says how many schedulers there will be; before the first work only.
   *
   * @throws FoundationError `invalid_options`
   */
  configure(options: SchedulerOptions): void {
    if (this.#pool !== undefined) {
      throw new FoundationError("invalid_options", "the schedulers have started already");
    }
    checkSchedulers(options);
    this.#options = { ...options };
  }

  /** See {@link cpuIntensive}: work on this isolate that lets others have their turn. */
  async cpuIntensive<Item, Result>(
    items: Iterable<Item>,
    fn: (item: Item, index: number) => Result,
    options?: CpuOptions,
  ): Promise<Result[]> {
    return cpuIntensive(items, fn, options);
  }

  /**
   * Has all schedulers work on items and resolves with the results, in the items' order. Items are
   * encoded, results cloned. An item that had ended within the last millisecond before another one
   * took its isolate down may run twice.
   *
   * @throws FoundationError `task_failed` with the first item that failed (`context.index`),
   *   `task_lost` where its isolate ended, `timeout`, `aborted`, `invalid_options`, `unencodable`,
   *   `node_left`; work that has not begun is given up, and what is under way has `graceMs` to end
   */
  async balanceWork(items: readonly unknown[], options: WorkOptions): Promise<unknown[]> {
    const settled = await this.#work(items, options, true);
    return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value);
  }

  /**
   * The same, but goes on when an item fails.
   *
   * @throws FoundationError as {@link balanceWork} does, except for what concerns one item
   */
  async balanceWorkSettled(
    items: readonly unknown[],
    options: WorkOptions,
  ): Promise<PromiseSettledResult<unknown>[]> {
    return this.#work(items, options, false);
  }

  /**
   * What each scheduler does, and how busy it was since the last call. Empty before the first work.
   */
  utilization(): SchedulerInfo[] {
    return this.#pool?.look() ?? [];
  }

  /**
   * Measures from now on how late this isolate's event loop is. Unit of `resolutionMs`: ms.
   *
   * @throws FoundationError `invalid_options`
   */
  monitorLoop(resolutionMs = 10): LoopMonitor {
    checkCount("resolutionMs", resolutionMs);
    return new LoopMonitor(resolutionMs);
  }

  /** Ends the schedulers; work under way fails with `node_left`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.close();
  }

  async #work(
    items: readonly unknown[],
    options: WorkOptions,
    isFailingFast: boolean,
  ): Promise<PromiseSettledResult<unknown>[]> {
    const module = checkWork(items, options);
    const pool = await this.#started();
    if (items.length === 0) return [];
    const id = ++this.#jobs;
    const memory = JobMemory.of(items, pool.size);
    const late = (): string => `the work did not end within ${options.timeoutMs} ms`;
    const wait = new Wait<void>(options, "timeout", late);
    const fail = isFailingFast ? (error: unknown) => wait.reject(error) : undefined;
    const job = new Job(items.length, memory, () => wait.resolve(), fail);
    const order = {
      job: id,
      module,
      export: options.export ?? WORK_DEFAULTS.export,
      blocks: memory.blocks,
    };
    pool.begin(order, job, (error) => wait.reject(error));
    const stopLooking = watchItems(pool, id, options.itemTimeoutMs);
    try {
      await wait.promise;
      return job.settled;
    } catch (thrown) {
      memory.giveUp();
      const { graceMs = WORK_DEFAULTS.graceMs } = options;
      pool.endWorkOn(job, isImpatient(thrown) ? 0 : graceMs);
      throw thrown;
    } finally {
      stopLooking();
      pool.end(id);
    }
  }

  async #started(): Promise<SchedulerPool> {
    if (this.#isClosed) throw new FoundationError("node_left", "the schedulers have ended");
    if (this.#pool !== undefined) return this.#pool;
    // The system's file threads start with the first file: not from a pinned thread, whose core
    // they would all be bound to.
    await stat(import.meta.dirname);
    this.#pool ??= new SchedulerPool(coresFor(this.#options), this.#options.heapMiB);
    return this.#pool;
  }
}

/** Whether what is under way has had its time. */
function isImpatient(thrown: unknown): boolean {
  return thrown instanceof FoundationError && /^(?:aborted|timeout)$/.test(thrown.code);
}

/** A core for each scheduler, in turn; undefined for any. */
function coresFor({ schedulers, pin = SCHEDULER_DEFAULTS.pin }: SchedulerOptions) {
  const cores = core.threadCores();
  const count = schedulers ?? availableParallelism();
  return Array.from({ length: count }, (_, scheduler) => {
    return pin && cores.length > 0 ? cores[scheduler % cores.length] : undefined;
  });
}

function watchItems(pool: SchedulerPool, job: number, limitMs: number | undefined): () => void {
  if (limitMs === undefined) return () => {};
  const everyMs = Math.min(LOOK_MS_MAX, Math.max(1, limitMs / LOOKS_PER_LIMIT));
  const timer = setInterval(() => pool.endLongerThan(job, limitMs), everyMs);
  return () => clearInterval(timer);
}
