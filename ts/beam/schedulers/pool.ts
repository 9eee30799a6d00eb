import { type EventLoopUtilization, performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { type ResourceLimits, Worker } from "node:worker_threads";
import { FoundationError } from "../../base/errors.ts";
import { describeReason } from "../signals.ts";
import type { Job } from "./job.ts";
import type { JobOrder, Notice, SchedulerOrder } from "./notices.ts";

const ENTRY = fileURLToPath(new URL("./scheduler-entry.js", import.meta.url));

/** What a scheduler has done, and how busy it is. */
export interface SchedulerInfo {
  readonly scheduler: number;
  /** `threadId` of its worker; undefined until it has started. */
  readonly threadId: number | undefined;
  /** Core that it is pinned to; undefined where it is not, or not yet. */
  readonly core: number | undefined;
  /** Part of the time since the last look at it that it was busy. Unit: 0 to 1. */
  readonly utilization: number;
  /** Items that ended there, by success or failure. */
  readonly items: number;
  /** How often it took half of what another one had left. */
  readonly steals: number;
  /** How often its isolate was replaced. */
  readonly restarts: number;
}

interface Scheduler {
  worker: Worker;
  threadId: number | undefined;
  isPinned: boolean;
  looked: EventLoopUtilization;
  items: number;
  steals: number;
  restarts: number;
}

interface Running {
  readonly job: Job;
  readonly order: JobOrder;
  readonly refuse: (error: FoundationError) => void;
}

/** The isolates that work on jobs: one a core, replaced when they end. */
export class SchedulerPool {
  readonly #cores: readonly (number | undefined)[];
  readonly #limits: ResourceLimits;
  readonly #schedulers: Scheduler[];
  readonly #jobs = new Map<number, Running>();
  #isClosed = false;

  /**
   * `cores`: a scheduler for each, undefined for one that runs on any core. `heapMiB`: limit of
   * each one's heap, undefined for V8's own.
   */
  constructor(cores: readonly (number | undefined)[], heapMiB?: number) {
    this.#cores = cores;
    this.#limits = heapMiB === undefined ? {} : { maxOldGenerationSizeMb: heapMiB };
    this.#schedulers = cores.map((_core, scheduler) => ({
      worker: this.#start(scheduler),
      threadId: undefined,
      isPinned: false,
      looked: NEVER_LOOKED,
      items: 0,
      steals: 0,
      restarts: 0,
    }));
  }

  /** Number of schedulers. */
  get size(): number {
    return this.#cores.length;
  }

  /** How busy each scheduler was since the last call, and what it did so far. */
  look(): SchedulerInfo[] {
    return this.#schedulers.map((entry, scheduler) => {
      const now = entry.worker.performance.eventLoopUtilization();
      const since = performance.eventLoopUtilization(now, entry.looked);
      entry.looked = now;
      const { threadId, items, steals, restarts } = entry;
      const core = entry.isPinned ? this.#cores[scheduler] : undefined;
      // Before its loop has begun there is no time to have a part of.
      const utilization = since.idle + since.active > 0 ? since.utilization : 0;
      return { scheduler, threadId, core, utilization, items, steals, restarts };
    });
  }

  /** Has all schedulers work on a job. `refuse`: they cannot. */
  begin(order: JobOrder, job: Job, refuse: (error: FoundationError) => void): void {
    this.#jobs.set(order.job, { job, order, refuse });
    if (this.#jobs.size === 1) for (const { worker } of this.#schedulers) worker.ref();
    for (const { worker } of this.#schedulers) worker.postMessage(order);
  }

  /** A job is over. */
  end(job: number): void {
    this.#jobs.get(job)?.job.memory.giveUp();
    this.#jobs.delete(job);
    // Schedulers without work do not keep the process alive.
    if (this.#jobs.size === 0) for (const { worker } of this.#schedulers) worker.unref();
  }

  /** Fails the items of a job that have run for longer, and replaces their schedulers. */
  endLongerThan(job: number, limitMs: number): void {
    const running = this.#jobs.get(job);
    if (running === undefined) return;
    this.#schedulers.forEach(({ worker }, scheduler) => {
      const under = running.job.memory.under(scheduler);
      if (under === undefined || under.forMs < limitMs) return;
      const text = `item ${under.index} ran for more than ${limitMs} ms`;
      running.job.fail(under.index, new FoundationError("timeout", text));
      running.job.memory.finish(scheduler);
      void worker.terminate();
    });
  }

  /** Replaces the schedulers that are at an item of a job that nobody waits for, after a grace. */
  endWorkOn({ memory }: Job, graceMs: number): void {
    const workers = this.#schedulers.map(({ worker }) => worker);
    const end = (): void => {
      this.#schedulers.forEach(({ worker }, scheduler) => {
        // One that was replaced meanwhile has left what it was at.
        const isSame = worker === workers[scheduler];
        if (isSame && memory.under(scheduler) !== undefined) void worker.terminate();
      });
    };
    if (graceMs === 0) end();
    else setTimeout(end, graceMs).unref();
  }

  /** Ends the schedulers; what they work on fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const error = new FoundationError("node_left", "the schedulers have ended");
    for (const { refuse } of [...this.#jobs.values()]) refuse(error);
    await Promise.all(this.#schedulers.map(async ({ worker }) => worker.terminate()));
  }

  #start(scheduler: number): Worker {
    const order: SchedulerOrder = { scheduler, core: this.#cores[scheduler] };
    const worker = new Worker(ENTRY, { workerData: order, resourceLimits: this.#limits });
    let cause: unknown;
    worker.on("message", (notice: Notice) => this.#receive(scheduler, notice));
    worker.on("error", (thrown) => (cause = thrown));
    worker.on("exit", (code) => this.#replace(scheduler, cause ?? `exit code ${code}`));
    if (this.#jobs.size === 0) worker.unref();
    return worker;
  }

  #receive(scheduler: number, notice: Notice): void {
    const entry = this.#schedulers[scheduler];
    if (entry === undefined) return;
    if (notice.kind === "ready") {
      entry.threadId = notice.threadId;
      entry.isPinned = notice.isPinned;
      return;
    }
    const running = this.#jobs.get(notice.job);
    if (notice.kind === "outcomes") {
      entry.items += notice.outcomes.length;
      entry.steals += notice.steals;
    }
    if (running === undefined) return;
    const { job, order, refuse } = running;
    if (notice.kind === "outcomes") job.take(notice.outcomes);
    else if (notice.kind === "refused") {
      refuse(new FoundationError("invalid_options", notice.message));
    } else if (job.isIdle(scheduler)) {
      for (const { worker } of this.#schedulers) worker.postMessage(order);
    }
  }

  /** The isolate of a scheduler ended: the item that it was at is lost, the rest is not. */
  #replace(scheduler: number, cause: unknown): void {
    const entry = this.#schedulers[scheduler];
    if (entry === undefined || this.#isClosed) return;
    const isNeverUp = entry.threadId === undefined;
    for (const { job, refuse } of [...this.#jobs.values()]) {
      const under = job.memory.under(scheduler);
      job.memory.finish(scheduler);
      job.works(scheduler);
      if (isNeverUp)
        refuse(new FoundationError("task_lost", "a scheduler ended at start", { cause }));
      if (under === undefined) continue;
      const text = `the isolate of item ${under.index} ended: ${describeReason(cause)}`;
      job.fail(under.index, new FoundationError("task_lost", text, { cause }));
    }
    if (isNeverUp) return;
    entry.restarts++;
    entry.threadId = undefined;
    entry.looked = NEVER_LOOKED;
    entry.worker = this.#start(scheduler);
    for (const { order } of this.#jobs.values()) entry.worker.postMessage(order);
  }
}

const NEVER_LOOKED: EventLoopUtilization = { idle: 0, active: 0, utilization: 0 };
