import { FoundationError } from "../../../base/errors.ts";
import type { Pid } from "../../../base/pid.ts";
import type { Processes } from "../../../beam/processes.ts";
import type { Startable } from "../../../beam/startable.ts";
import { isRecord } from "../checks.ts";

/** Makes, checks and ends the workers of a pool: connections, clients, processes. */
export interface WorkerModule<Worker, Args = undefined> {
  /** Makes a worker; `signal` aborts when nobody will want it any more. */
  create(args: Args, signal: AbortSignal): Worker | Promise<Worker>;
  /** Ends a worker. Default: it is dropped. */
  destroy?(worker: Worker): void | Promise<void>;
  /** Whether an idle worker can still be used. Default: it can. */
  validate?(worker: Worker): boolean | Promise<boolean>;
  /** Calls `gone` when a worker ends by itself. Default: that is never heard of. */
  onExit?(worker: Worker, gone: (reason: unknown) => void): void;
}

/** A worker whose class looks after itself. */
export interface PoolWorker {
  /** Called once, before the worker is first used. */
  start?(): void | Promise<void>;
  /** Called once, when it is not used any more. */
  stop?(): void | Promise<void>;
  /** Whether it can be used. */
  isHealthy?(): boolean | Promise<boolean>;
}

/** A class of workers: each is made with the arguments of its pool. */
export type WorkerClass<Worker, Args> = new (args: Args) => Worker & PoolWorker;

/** What a pool takes its workers from. */
export type WorkerSource<Worker, Args> = WorkerModule<Worker, Args> | WorkerClass<Worker, Args>;

/**
 * The module behind a source of workers.
 *
 * @throws FoundationError `invalid_worker_module`
 */
export function workerModule<Worker, Args>(
  source: WorkerSource<Worker, Args>,
): WorkerModule<Worker, Args> {
  if (typeof source === "function") return moduleOfClass(source);
  if (isRecord(source) && typeof source.create === "function") return source;
  const text = "a worker module is a class, or an object with 'create'";
  throw new FoundationError("invalid_worker_module", text);
}

function moduleOfClass<Worker, Args>(
  Class: WorkerClass<Worker, Args>,
): WorkerModule<Worker & PoolWorker, Args> {
  return {
    async create(args: Args) {
      const worker = new Class(args);
      await worker.start?.();
      return worker;
    },
    destroy: (worker) => worker.stop?.(),
    ...(typeof Class.prototype?.isHealthy === "function" && {
      validate: (worker: PoolWorker) => worker.isHealthy?.() ?? true,
    }),
  };
}

/**
 * Workers that are processes: the pool hands out pids, and replaces a process that ends.
 *
 *     startPool("parsers", { workerModule: processWorkers(node.beam.processes, Parser) })
 */
export function processWorkers(
  processes: Processes,
  start: Startable,
): WorkerModule<Pid, readonly unknown[] | undefined> {
  return {
    create: async (args) => processes.start(start, args === undefined ? {} : { args }),
    destroy: async (pid) => processes.stop(pid, "shutdown"),
    onExit: (pid, gone) => void processes.monitor(pid, ({ reason }) => gone(reason)),
  };
}
