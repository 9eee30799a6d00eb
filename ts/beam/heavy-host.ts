import { FoundationError } from "../base/errors.ts";
import { Pid } from "../base/pid.ts";
import { thrownText } from "../base/thrown-text.ts";
import type { MessageContext } from "../kernel/handlers.ts";
import type { ClusterNode } from "../kernel/node.ts";
import { encodeValue } from "../kernel/values.ts";
import type { HeavyBlueprint } from "./heavy.ts";
import { HeavyPool, type HeavyPoolCounts, type HeavyPoolPlan } from "./heavy-pool.ts";
import type { HeavyEndReport } from "./heavy-wire.ts";
import { HeavyWorker, type Place, startError } from "./heavy-worker.ts";
import type { SpawnOptions } from "./process-types.ts";
import type { ExitReason } from "./signals.ts";
import type { Guarded, Watchdog } from "./watchdog.ts";
import { isolateName, OP, type Op, type Reply, ROOT_NAME } from "./wire.ts";

/** Ends whose reasons are kept for those who ask later. */
const ENDS_KEPT_MAX = 1_024;
/** What heavy processes get to end by themselves when their node leaves. Unit: ms. */
const LEAVE_GRACE_MS = 1_000;

const REFUSED: Reply = [false, "unknown_factory", "only its own node starts it so", undefined];

interface Running {
  readonly worker: HeavyWorker;
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
  readonly #pool: HeavyPool<HeavyWorker> | undefined;
  readonly #running = new Map<string, Running>();
  readonly #ends = new Map<string, { readonly reason: ExitReason; readonly atMs: number }>();
  readonly #workers = new Set<Running>();

  /**
   * `watchdog`: that of the node, where this is the main thread's own part of it, which workers
   * belong to. `plan`: of the isolates that it keeps ready there.
   */
  constructor(node: ClusterNode, watchdog: Watchdog | undefined, plan: HeavyPoolPlan | undefined) {
    this.#node = node;
    this.#watchdog = watchdog;
    if (watchdog === undefined) return;
    if (plan !== undefined) {
      const { preload } = plan;
      const boot = () => new HeavyWorker({ node: node.name, preload }, plan);
      this.#pool = new HeavyPool(plan, boot, async (isolate) => this.#greet(await isolate.ready()));
    }
    node.handle(ROOT_NAME, async (op: Op, { from }: MessageContext) => this.#receive(op, from));
  }

  /** Heavy processes that run. */
  get size(): number {
    return this.#running.size;
  }

  /** The isolates that are kept ready; undefined where none are. */
  get pool(): HeavyPoolCounts | undefined {
    return this.#pool?.counts();
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

  /**
   * Asks an isolate that waits for a process that it does not have: the way there and back is made
   * by then, and compiled.
   */
  async #greet({ slot, generation }: Place): Promise<void> {
    const to = { node: this.#node.name, name: isolateName(slot) };
    await this.#node.call(to, [OP.info, 0, generation]);
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
      return [false, code, thrownText(thrown), undefined];
    }
  }

  async #start(
    heavy: HeavyBlueprint,
    given: readonly unknown[],
    options: SpawnOptions,
  ): Promise<Pid> {
    const encoded = Uint8Array.from(encodeValue(given).bytes);
    const boot = { node: this.#node.name, preload: undefined };
    const worker = this.#pool?.take(heavy) ?? new HeavyWorker(boot, heavy);
    const running: Running = { worker, serial: 0, isKilled: false };
    this.#workers.add(running);
    void worker.ended.then(() => this.#workers.delete(running));
    try {
      const { module, export: name } = heavy;
      const order = { module, export: name, given: encoded, options };
      const pid = await worker.start(heavy, order, this.#guard(heavy));
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
    void running.worker.ended.then(({ reason, isTold }) => {
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
    await this.#running.get(key)?.worker.ended;
    const end = this.#ends.get(key);
    return end === undefined
      ? undefined
      : { reason: end.reason, agoMs: performance.now() - end.atMs };
  }

  /** The node leaves: heavy processes end, by themselves or not. */
  close(): void {
    this.#pool?.close();
    if (this.#workers.size === 0) return;
    setTimeout(() => {
      for (const { worker } of this.#workers) void worker.terminate();
    }, LEAVE_GRACE_MS).unref();
  }
}
