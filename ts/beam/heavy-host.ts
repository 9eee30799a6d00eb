import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { isErrorCode } from "../base/error-codes.ts";
import { FoundationError } from "../base/errors.ts";
import { Pid, parsePid } from "../base/pid.ts";
import type { MessageContext } from "../kernel/handlers.ts";
import type { ClusterNode } from "../kernel/node.ts";
import { decodePacked, encodeValue } from "../kernel/values.ts";
import type { HeavyBlueprint } from "./heavy.ts";
import type { SpawnOptions } from "./process-types.ts";
import type { ExitReason } from "./signals.ts";
import type { Guarded, Watchdog } from "./watchdog.ts";
import { OP, type Op, type Reply, ROOT_NAME } from "./wire.ts";

const ENTRY = fileURLToPath(new URL("./heavy-entry.js", import.meta.url));
/** Ends whose reasons are kept for those who ask later. */
const ENDS_KEPT_MAX = 1_024;
/** What heavy processes get to end by themselves when their node leaves. Unit: ms. */
const LEAVE_GRACE_MS = 1_000;

/** What a worker is told of the process that it is for. */
export interface HeavyOrder {
  readonly node: string;
  readonly module: string;
  readonly export: string;
  /** The arguments and the parent's pid, encoded as any message is. */
  readonly given: Uint8Array;
  readonly options: SpawnOptions;
  /** At the watchdog, where the process has limits that it keeps. */
  readonly guard: number | undefined;
}

/** What a worker says first of its process. */
export type HeavyNotice =
  | { readonly kind: "started"; readonly pid: string }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** The last thing that it says: its exit reason, encoded. */
export interface HeavyEnd {
  readonly kind: "ended";
  readonly reason: Uint8Array;
}

const REFUSED: Reply = [false, "unknown_factory", "only its own node starts it so", undefined];

/** Why a heavy process ended, for who finds its isolate gone; undefined where it was none. */
export interface HeavyEndReport {
  readonly reason: ExitReason;
  readonly agoMs: number;
}

/** How the worker of a heavy process ended. `isTold`: its process had said so. */
interface WorkerEnd {
  readonly reason: ExitReason;
  readonly isTold: boolean;
}

interface Running {
  readonly worker: Worker;
  readonly ended: Promise<WorkerEnd>;
  /** Serial of the process that the isolate is there for, once it has started. */
  serial: number;
  isKilled: boolean;
}

/**
 * The workers behind heavy processes. They are children of the root isolate, whoever asks for one:
 * a worker of a worker would end with it.
 */
export class HeavyHost {
  readonly #node: ClusterNode;
  readonly #watchdog: Watchdog | undefined;
  readonly #running = new Map<string, Running>();
  readonly #ends = new Map<string, { readonly reason: ExitReason; readonly atMs: number }>();
  readonly #workers = new Set<Running>();

  /**
   * `watchdog`: that of the node, where this is the main thread's own part of it, which workers
   * belong to.
   */
  constructor(node: ClusterNode, watchdog: Watchdog | undefined) {
    this.#node = node;
    this.#watchdog = watchdog;
    if (watchdog === undefined) return;
    node.handle(ROOT_NAME, async (op: Op, { from }: MessageContext) => this.#receive(op, from));
  }

  /** Heavy processes that run in workers of this isolate. */
  get size(): number {
    return this.#workers.size;
  }

  /**
   * Starts a heavy process; resolves once its `init` has.
   *
   * @throws FoundationError `init_failed`, `timeout`, `unencodable`; `shim_missing` or
   *   `loop_watch_missing` for limits that this installation cannot keep
   */
  async start(
    heavy: HeavyBlueprint,
    args: readonly unknown[],
    options: SpawnOptions,
    parent: Pid | undefined,
  ): Promise<Pid> {
    if (this.#watchdog !== undefined) return this.#start(heavy, [args, parent], options);
    const to = { node: this.#node.name, name: ROOT_NAME };
    const wait = { timeoutMs: heavy.startTimeoutMs + 5_000 };
    const op: Op = [OP.heavy, { ...heavy }, [args, parent], { ...options }];
    const answer = await this.#node.call(to, op, wait);
    const [isStarted, value, text] = answer as Reply;
    if (isStarted && value instanceof Pid) return value;
    throw startError(value, text);
  }

  async #receive(op: Op, from: string): Promise<unknown> {
    if (!Array.isArray(op)) return undefined;
    const [kind, first, second, third] = op;
    switch (kind) {
      case OP.heavy:
        // A module is code: only isolates of this node may name one, others use factories.
        if (from !== this.#node.name) return REFUSED;
        return this.#startFor(first as HeavyBlueprint, second as unknown[], third as SpawnOptions);
      case OP.kill:
        return this.#kill(String(first), second);
      case OP.endOf:
        return this.#endOf(String(first));
      default:
        return undefined;
    }
  }

  async #startFor(
    heavy: HeavyBlueprint,
    given: readonly unknown[],
    options: SpawnOptions,
  ): Promise<Reply> {
    try {
      return [true, await this.#start(heavy, given, options)];
    } catch (thrown) {
      const code = thrown instanceof FoundationError ? thrown.code : "init_failed";
      return [false, code, thrown instanceof Error ? thrown.message : String(thrown), undefined];
    }
  }

  async #start(
    heavy: HeavyBlueprint,
    given: readonly unknown[],
    options: SpawnOptions,
  ): Promise<Pid> {
    const { module, heapMiB, youngMiB } = heavy;
    const encoded = Uint8Array.from(encodeValue(given).bytes);
    // Last before its worker: a guard ends with the worker that it is for.
    const guarded = this.#guard(heavy);
    const order: HeavyOrder = {
      node: this.#node.name,
      module,
      export: heavy.export,
      given: encoded,
      options,
      guard: guarded?.id,
    };
    const limits = {
      ...(heapMiB !== undefined && { maxOldGenerationSizeMb: heapMiB }),
      ...(youngMiB !== undefined && { maxYoungGenerationSizeMb: youngMiB }),
    };
    const worker = new Worker(ENTRY, { workerData: order, resourceLimits: limits });
    const ended = endWithin(endOf(worker), guarded);
    const running: Running = { worker, ended, serial: 0, isKilled: false };
    this.#workers.add(running);
    void running.ended.then(() => this.#workers.delete(running));
    try {
      const pid = await startOf(worker, running.ended, heavy);
      running.serial = pid.serial;
      this.#keep(`${pid.home.slot}.${pid.home.generation}`, running);
      return pid;
    } catch (thrown) {
      await worker.terminate();
      throw thrown;
    }
  }

  #guard({ stallMs, offHeapMiB }: HeavyBlueprint): Guarded | undefined {
    if (stallMs === undefined && offHeapMiB === undefined) return undefined;
    const offHeapBytes = offHeapMiB === undefined ? undefined : offHeapMiB * 2 ** 20;
    return this.#watchdog?.guard({ stallMs, offHeapBytes });
  }

  #keep(key: string, running: Running): void {
    this.#running.set(key, running);
    void running.ended.then(({ reason, isTold }) => {
      this.#running.delete(key);
      // Who ended in order has told all that are tied to it; to the others it is just gone.
      if (isTold && !running.isKilled) return;
      const end = { reason: running.isKilled ? "killed" : reason, atMs: performance.now() };
      this.#ends.set(key, end);
      for (const oldest of this.#ends.keys()) {
        if (this.#ends.size <= ENDS_KEPT_MAX) break;
        this.#ends.delete(oldest);
      }
    });
  }

  #kill(key: string, serial: unknown): void {
    const running = this.#running.get(key);
    if (running === undefined || running.serial !== serial) return;
    running.isKilled = true;
    void running.worker.terminate();
  }

  async #endOf(key: string): Promise<HeavyEndReport | undefined> {
    await this.#running.get(key)?.ended;
    const end = this.#ends.get(key);
    return end === undefined
      ? undefined
      : { reason: end.reason, agoMs: performance.now() - end.atMs };
  }

  /** The node leaves: heavy processes end, by themselves or not. */
  close(): void {
    if (this.#workers.size === 0) return;
    setTimeout(() => {
      for (const { worker } of this.#workers) void worker.terminate();
    }, LEAVE_GRACE_MS).unref();
  }
}

/** The end of a worker; one that the watchdog has ended says nothing of it. */
async function endWithin(
  ended: Promise<WorkerEnd>,
  guarded: Guarded | undefined,
): Promise<WorkerEnd> {
  const [end, verdict] = [await ended, guarded?.verdict()];
  return end.isTold || verdict === undefined ? end : { reason: verdict, isTold: false };
}

/** Resolves when a worker is gone. */
async function endOf(worker: Worker): Promise<WorkerEnd> {
  return new Promise((resolve) => {
    let end: WorkerEnd | undefined;
    worker.on("error", (thrown) => (end ??= { reason: thrown, isTold: false }));
    worker.on("message", (notice: HeavyEnd | HeavyNotice) => {
      if (notice.kind !== "ended") return;
      const [reason] = decodePacked(notice.reason) as unknown[];
      end ??= { reason, isTold: true };
    });
    worker.on("exit", (code) => {
      resolve(end ?? { reason: { kind: "exitCode", code }, isTold: false });
    });
  });
}

async function startOf(
  worker: Worker,
  ended: Promise<WorkerEnd>,
  { module, startTimeoutMs }: HeavyBlueprint,
): Promise<Pid> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      const text = `'${module}' did not start within ${startTimeoutMs} ms`;
      reject(new FoundationError("timeout", text));
    }, startTimeoutMs);
    worker.once("message", (notice: HeavyNotice) => {
      clearTimeout(late);
      if (notice.kind === "started") resolve(parsePid(notice.pid));
      else reject(startError(notice.code, notice.message));
    });
    void ended.then(({ reason }) => {
      clearTimeout(late);
      const cause = reason instanceof Error ? { cause: reason } : {};
      const text = `the isolate of '${module}' ended before its process had started`;
      reject(new FoundationError("init_failed", text, { context: { reason }, ...cause }));
    });
  });
}

function startError(code: unknown, message: unknown): FoundationError {
  return new FoundationError(isErrorCode(code) ? code : "init_failed", String(message));
}
