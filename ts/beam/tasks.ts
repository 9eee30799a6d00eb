import { checkKeys, checkKind } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import { exitedError } from "./envelope.ts";
import type { Self } from "./process-types.ts";
import type { ProcessRuntime } from "./runtime.ts";
import type { ExitReason } from "./signals.ts";

/** How a task is started. */
export interface TaskOptions {
  /** What it is, for `processInfo` and crash reports. Default: the function's name. */
  readonly label?: string;
  /** Ends the task with `aborted` as its exit reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** Work that a process of its own does, and what comes of it. */
export interface Task<T> {
  readonly pid: Pid;
  /**
   * What the function returns or resolves to.
   *
   * @throws what the function throws; FoundationError `process_exited` where the process was ended
   */
  readonly result: Promise<T>;
  /** Ends the process; `result` rejects. */
  stop(): void;
}

/** Starts processes that do one thing and end. */
export class Tasks {
  readonly #runtime: ProcessRuntime;

  constructor(runtime: ProcessRuntime) {
    this.#runtime = runtime;
  }

  /**
   * Runs a function in a process of its own; it is the only process that its failure ends.
   * A failure that nobody awaits is a crash report, not an unhandled rejection.
   *
   * @throws FoundationError `invalid_options`
   */
  run<T>(work: (self: Self) => T | Promise<T>, options: TaskOptions = {}): Task<T> {
    return this.#start(work, options, false);
  }

  /**
   * The same, linked to the process whose handler runs: the failure of one ends the other. Outside
   * of a handler there is nobody to link to, and it is as {@link run}.
   *
   * @throws FoundationError `process_exited` where that process has just ended
   */
  runLink<T>(work: (self: Self) => T | Promise<T>, options: TaskOptions = {}): Task<T> {
    return this.#start(work, options, true);
  }

  #start<T>(
    work: (self: Self) => T | Promise<T>,
    options: TaskOptions,
    isLinked: boolean,
  ): Task<T> {
    checkKind("work", typeof work === "function", "a function");
    checkKeys("the options of a task", options, ["label", "signal"]);
    const { label = work.name, signal } = options;
    const runtime = this.#runtime;
    let value: T | undefined;
    const body = {
      init: async (self: Self): Promise<never> => {
        value = await work(self);
        return self.exit("normal");
      },
      handle: (): void => {},
    };
    const parent = isLinked ? runtime.current : undefined;
    parent?.mustLive();
    const { pid } = runtime.spawn(body, { label: label === "" ? "Task" : label });
    if (parent !== undefined) runtime.link(parent, pid);
    const stop = (reason: ExitReason): void => runtime.exit(pid, pid, reason);
    const onAbort = (): void => stop("aborted");
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    const result = new Promise<T>((resolve, reject) => {
      runtime.watch(pid, ({ reason }) => {
        signal?.removeEventListener("abort", onAbort);
        if (reason === "normal") resolve(value as T);
        else reject(reason instanceof Error ? reason : exitedError(pid, reason));
      });
    });
    result.catch(() => {}); // told by the crash report already
    return { pid, result, stop: () => stop("shutdown") };
  }
}
