import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { isErrorCode } from "../base/error-codes.ts";
import { FoundationError } from "../base/errors.ts";
import { type Pid, parsePid } from "../base/pid.ts";
import { decodePacked } from "../kernel/values.ts";
import type { HeapLimits, HeavyBlueprint } from "./heavy.ts";
import type { HeavyBoot, HeavyEnd, HeavyNotice, HeavyOrder } from "./heavy-wire.ts";
import type { ExitReason } from "./signals.ts";
import type { Guarded } from "./watchdog.ts";

const ENTRY = fileURLToPath(new URL("./heavy-entry.js", import.meta.url));

/** How the worker of a heavy process ended. `isTold`: its process had said so. */
export interface WorkerEnd {
  readonly reason: ExitReason;
  readonly isTold: boolean;
}

/** Where an isolate is in its node. */
export interface Place {
  readonly slot: number;
  readonly generation: number;
}

/** A worker for one heavy process, as the main thread holds it. */
export class HeavyWorker {
  readonly #worker: Worker;
  /** Resolves when it is gone, and with what it was guarded by. */
  readonly ended: Promise<WorkerEnd>;
  #guarded: Guarded | undefined;

  constructor(boot: HeavyBoot, { heapMiB, youngMiB }: HeapLimits) {
    const limits = {
      ...(heapMiB !== undefined && { maxOldGenerationSizeMb: heapMiB }),
      ...(youngMiB !== undefined && { maxYoungGenerationSizeMb: youngMiB }),
    };
    this.#worker = new Worker(ENTRY, { workerData: boot, resourceLimits: limits });
    this.ended = endOf(this.#worker).then((end) => this.#judged(end));
  }

  /**
   * Resolves with its place once it waits for an order; until it has one it keeps no program from
   * its end.
   *
   * @throws FoundationError what kept it from it
   */
  async ready(): Promise<Place> {
    this.#worker.unref();
    const notice = await this.#notice();
    if (notice.kind === "ready") return notice;
    if (notice.kind === "failed") throw startError(notice.code, notice.message);
    throw new FoundationError("internal", `an isolate without an order says '${notice.kind}'`);
  }

  /**
   * Has it start its process. `guarded`: how the watchdog knows it.
   *
   * @throws FoundationError `unencodable` where the order cannot travel; `init_failed`, `timeout`
   */
  async start(
    { module, startTimeoutMs }: HeavyBlueprint,
    order: Omit<HeavyOrder, "guard">,
    guarded: Guarded | undefined,
  ): Promise<Pid> {
    this.#guarded = guarded;
    this.#worker.ref();
    this.#send({ ...order, guard: guarded?.id });
    let late: NodeJS.Timeout | undefined;
    const lateness = new Promise<never>((_, reject) => {
      late = setTimeout(() => {
        const text = `'${module}' did not start within ${startTimeoutMs} ms`;
        reject(new FoundationError("timeout", text));
      }, startTimeoutMs);
    });
    try {
      const notice = await Promise.race([this.#notice(), lateness]);
      if (notice.kind === "started") return parsePid(notice.pid);
      if (notice.kind === "failed") throw startError(notice.code, notice.message);
      throw new FoundationError("init_failed", `the isolate of '${module}' is out of turn`);
    } finally {
      clearTimeout(late);
    }
  }

  #send(order: HeavyOrder): void {
    try {
      this.#worker.postMessage(order);
    } catch (thrown) {
      throw untransferable(order.module, thrown);
    }
  }

  /** Ends it, whatever it runs. Resolves when it is gone. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Who was ended by the watchdog says nothing of it. */
  #judged(end: WorkerEnd): WorkerEnd {
    const verdict = this.#guarded?.verdict();
    return end.isTold || verdict === undefined ? end : { reason: verdict, isTold: false };
  }

  /** The next thing that it says of its start. */
  async #notice(): Promise<HeavyNotice> {
    return new Promise((resolve, reject) => {
      this.#worker.once("message", resolve);
      void this.ended.then(({ reason }) => {
        const cause = reason instanceof Error ? { cause: reason } : {};
        const text = "the isolate ended before its process had started";
        reject(new FoundationError("init_failed", text, { context: { reason }, ...cause }));
      });
    });
  }
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

function untransferable(module: string, cause: unknown): FoundationError {
  const text = `the options of '${module}' cannot travel to its isolate`;
  return new FoundationError("unencodable", text, { cause });
}

/** Why a process did not start, as its isolate has told. */
export function startError(code: unknown, message: unknown): FoundationError {
  return new FoundationError(isErrorCode(code) ? code : "init_failed", String(message));
}
