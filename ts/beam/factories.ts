import { FOREVER_MS, Wait } from "../base/deadline.ts";
import { isErrorCode } from "../base/error-codes.ts";
import { FoundationError } from "../base/errors.ts";
import { checkDelay, checkKeys } from "../base/option-checks.ts";
import { Pid } from "../base/pid.ts";
import { thrownText } from "../base/thrown-text.ts";
import type { Unsubscribe } from "../base/typed-events.ts";
import type { ClusterNode } from "../kernel/node.ts";
import { asWorker, type WorkerRole } from "./ecosystems/worker-start.ts";
import { LoadMeter, type NodeLoad } from "./node-load.ts";
import type { SpawnOptions } from "./process-types.ts";
import type { ProcessRuntime } from "./runtime.ts";
import { SPAWN_KEYS } from "./spawn-checks.ts";
import { startProcess } from "./start-process.ts";
import type { Startable } from "./startable.ts";
import { factoryName, type Reply } from "./wire.ts";

/** Says what is started for arguments that came from anywhere: check them. */
export type Factory = (...args: never[]) => Startable | Promise<Startable>;

/** How a process is started at another node. */
export interface SpawnOnOptions extends SpawnOptions {
  /** Longest wait; what was started later is killed. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`; what was started later is killed. Default: none. */
  readonly signal?: AbortSignal;
  /** A process that the new one is linked to from its first moment. Default: none. */
  readonly link?: Pid;
}

const SPAWN_ON_KEYS = [...SPAWN_KEYS, "timeoutMs", "signal", "link"];

interface Order {
  readonly args: readonly unknown[];
  readonly options: SpawnOptions;
  readonly link: Pid | undefined;
  /** Of a worker of an ecosystem. */
  readonly role: WorkerRole | undefined;
}

/** Asks who offers a factory for the load of its node. */
const LOAD_QUESTION = "load";
/** Who does not answer by then is no place to start anything. Unit: ms. */
const LOAD_TIMEOUT_MS = 1_000;

/** Starting processes of this isolate from elsewhere, and the other way round. */
export class Factories {
  readonly #node: ClusterNode;
  readonly #runtime: ProcessRuntime;
  readonly #load = new LoadMeter();

  constructor(node: ClusterNode, runtime: ProcessRuntime) {
    this.#node = node;
    this.#runtime = runtime;
  }

  /** See `Processes.offer`. */
  offer(name: string, make: Factory): Unsubscribe {
    return this.#node.handle(factoryName(name), async (order: unknown): Promise<Reply> => {
      if (order === LOAD_QUESTION) return [true, this.#load.read()];
      try {
        return [true, await this.#start(make, order)];
      } catch (thrown) {
        const code = thrown instanceof FoundationError ? thrown.code : "init_failed";
        return [false, code, thrownText(thrown), undefined];
      }
    });
  }

  async #start(make: Factory, order: unknown): Promise<Pid> {
    const { args, options, link, role } = checked(order as Partial<Order>);
    const made = await make(...(args as never[]));
    // The arguments were the factory's: what it makes has its own.
    const start = role === undefined ? { start: made } : asWorker(made, role);
    const parent = link === undefined ? undefined : { pid: link };
    const how = { ...options, ...("args" in start && { args: start.args }) };
    const pid = await startProcess(this.#runtime, start.start, how, parent);
    const process = this.#runtime.find(pid);
    if (link !== undefined && process !== undefined) this.#runtime.link(process, link);
    return pid;
  }

  /** See `Processes.spawnOn`. */
  async spawnOn(
    node: string,
    factory: string,
    args: readonly unknown[],
    given: SpawnOnOptions,
    role?: WorkerRole,
  ): Promise<Pid> {
    checkKeys("the options of spawnOn", given, SPAWN_ON_KEYS);
    const { timeoutMs = 5_000, signal, link, ...options } = given;
    checkDelay("timeoutMs", timeoutMs);
    const order: Order = { args, options, link, role };
    const text = (): string => `'${node}' did not start '${factory}' within ${timeoutMs} ms`;
    const wait = new Wait<Pid>({ timeoutMs, signal }, "timeout", text);
    this.#order(node, factory, order).then(
      (pid) => {
        // Who has given up knows no pid to end it by.
        if (wait.isSettled) this.#runtime.exit(this.#runtime.nobody, pid, "kill");
        else wait.resolve(pid);
      },
      (thrown: unknown) => wait.reject(thrown),
    );
    return wait.promise;
  }

  /** Resolves with what was started, however long that takes; rejects where the node is gone. */
  async #order(node: string, factory: string, order: Order): Promise<Pid> {
    const to = { node, name: factoryName(factory) };
    const patient = { timeoutMs: FOREVER_MS };
    const answer = await this.#node.call(to, order, patient).catch((thrown: unknown) => {
      if (!(thrown instanceof FoundationError) || thrown.code !== "noproc") throw thrown;
      const text = `'${node}' offers no factory '${factory}'`;
      throw new FoundationError("unknown_factory", text, { cause: thrown });
    });
    const [isStarted, value, text] = answer as Reply;
    if (isStarted && value instanceof Pid) return value;
    throw new FoundationError(isErrorCode(value) ? value : "init_failed", String(text));
  }

  /** The load of a node that offers a factory; undefined where it does not, or does not answer. */
  async loadOf(node: string, factory: string): Promise<NodeLoad | undefined> {
    const to = { node, name: factoryName(factory) };
    try {
      const answer = await this.#node.call(to, LOAD_QUESTION, { timeoutMs: LOAD_TIMEOUT_MS });
      const [isAnswer, load] = answer as Reply;
      return isAnswer ? (load as NodeLoad) : undefined;
    } catch {
      return undefined; // whatever the reason, nothing can be started there now
    }
  }
}

/** What came from elsewhere, with nothing in it but what it may hold. */
function checked(order: Partial<Order> | null | undefined): Order {
  const { args, options, link, role } = order ?? {};
  const { name, label, mailbox, trapExit } = options ?? {};
  const isWell =
    Array.isArray(args) &&
    (role === undefined || role === "worker" || role === "isolatedWorker") &&
    (link === undefined || link instanceof Pid) &&
    [name, label].every((text) => text === undefined || typeof text === "string") &&
    (mailbox === undefined || (typeof mailbox === "object" && mailbox !== null));
  if (!isWell) throw new FoundationError("invalid_options", "this is no order for a process");
  return {
    args: args as unknown[],
    link,
    role,
    options: {
      trapExit: trapExit === true,
      ...(name !== undefined && { name }),
      ...(label !== undefined && { label }),
      ...(mailbox !== undefined && { mailbox }),
    },
  };
}
