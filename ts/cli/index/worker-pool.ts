import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CommandError } from "../exit.ts";
import type { WorkerAssignment, WorkerNotice } from "./messages.ts";

/** How a worker process ended. */
export interface WorkerExit {
  readonly name: string;
  /** In words: `exit code 1`, `SIGKILL`. */
  readonly cause: string;
  /** True if a fault inside the process ended it, rather than somebody else. */
  readonly isFault: boolean;
}

interface WorkerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  isReady: boolean;
  failure: string | undefined;
}

const WORKER_ENTRY = fileURLToPath(new URL("./worker.js", import.meta.url));

/** Signals by which a processor or a runtime ends a process for its own fault. */
const FAULT_SIGNALS: ReadonlySet<NodeJS.Signals | null> = new Set<NodeJS.Signals>([
  ...(["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGTRAP", "SIGFPE"] as const),
]);

/**
 * The worker processes of one run. Whatever happens, {@link stop} leaves none behind; and if this
 * process dies, their pipes close and they end by themselves.
 */
export class WorkerPool {
  readonly #workers = new Map<string, WorkerProcess>();
  readonly #onExit: (exit: WorkerExit) => void;

  /** `onExit` hears of every end once, whatever its reason. */
  constructor(onExit: (exit: WorkerExit) => void) {
    this.#onExit = onExit;
  }

  /** Starts one process and resolves when it has joined the cluster. */
  async start(assignment: WorkerAssignment): Promise<void> {
    const child = fork(WORKER_ENTRY, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    let markExited = (): void => {};
    const exited = new Promise<void>((resolve) => {
      markExited = resolve;
    });
    const worker: WorkerProcess = {
      child,
      exited,
      isReady: false,
      failure: undefined,
    };
    this.#workers.set(assignment.name, worker);
    await new Promise<void>((resolve, reject) => {
      child.once("message", (notice: WorkerNotice) => {
        if (notice.kind === "failed") {
          worker.failure = notice.message;
          return;
        }
        worker.isReady = true;
        resolve();
      });
      let hasEnded = false;
      const end = (cause: string, isFault: boolean): void => {
        if (hasEnded) return;
        hasEnded = true;
        if (!worker.isReady) reject(startError(assignment.name, worker.failure ?? cause));
        markExited();
        this.#workers.delete(assignment.name);
        this.#onExit({ name: assignment.name, cause, isFault });
      };
      child.once("error", (failure) => end(failure.message, false));
      child.once("exit", (code, signal) => {
        end(signal ?? `exit code ${code}`, FAULT_SIGNALS.has(signal));
      });
      // A process that is gone before it read its assignment says so by its exit.
      child.send(assignment, () => {});
    });
  }

  /** Processes that have not ended yet. */
  get size(): number {
    return this.#workers.size;
  }

  /** Process id of a worker, for the report. */
  processId(name: string): number | undefined {
    return this.#workers.get(name)?.child.pid;
  }

  /** Ends one worker with SIGKILL, which it can neither catch nor prepare for. */
  kill(name: string): void {
    this.#workers.get(name)?.child.kill("SIGKILL");
  }

  /** Lets all workers leave; those that are still there after the time are killed. */
  async stop(graceMs: number): Promise<void> {
    const workers = [...this.#workers.values()];
    for (const worker of workers) {
      if (worker.child.connected) worker.child.disconnect();
    }
    const allExited = Promise.all(workers.map((worker) => worker.exited));
    const timer = setTimeout(() => {
      for (const { child } of workers) child.kill("SIGKILL");
    }, graceMs);
    await allExited;
    clearTimeout(timer);
  }
}

function startError(name: string, cause: string): CommandError {
  return new CommandError("worker_start_failed", `worker ${name} did not start: ${cause}`);
}
