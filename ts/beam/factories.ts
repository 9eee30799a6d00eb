import { isErrorCode } from "../base/error-codes.ts";
import { FoundationError } from "../base/errors.ts";
import { Pid } from "../base/pid.ts";
import type { Unsubscribe } from "../base/typed-events.ts";
import type { ClusterNode } from "../kernel/node.ts";
import type { SpawnOptions } from "./process-types.ts";
import type { ProcessRuntime } from "./runtime.ts";
import { startProcess } from "./start-process.ts";
import type { Startable } from "./startable.ts";
import { factoryName, type Reply } from "./wire.ts";

/** Says what is started for arguments that came from anywhere: check them. */
export type Factory = (...args: never[]) => Startable | Promise<Startable>;

/** How a process is started at another node. */
export interface SpawnOnOptions extends SpawnOptions {
  /** Longest wait. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`; the process may have been started. Default: none. */
  readonly signal?: AbortSignal;
  /** A process that the new one is linked to from its first moment. Default: none. */
  readonly link?: Pid;
}

interface Order {
  readonly args: readonly unknown[];
  readonly options: SpawnOptions;
  readonly link: Pid | undefined;
}

/** Starting processes of this isolate from elsewhere, and the other way round. */
export class Factories {
  readonly #node: ClusterNode;
  readonly #runtime: ProcessRuntime;

  constructor(node: ClusterNode, runtime: ProcessRuntime) {
    this.#node = node;
    this.#runtime = runtime;
  }

  /** See `Processes.offer`. */
  offer(name: string, make: Factory): Unsubscribe {
    return this.#node.handle(factoryName(name), async (order: Order): Promise<Reply> => {
      try {
        return [true, await this.#start(make, order)];
      } catch (thrown) {
        const code = thrown instanceof FoundationError ? thrown.code : "init_failed";
        return [false, code, thrown instanceof Error ? thrown.message : String(thrown), undefined];
      }
    });
  }

  async #start(make: Factory, order: Partial<Order>): Promise<Pid> {
    const { args, options, link } = checked(order);
    const start = await make(...(args as never[]));
    // The arguments were the factory's: what it makes has its own.
    const parent = link === undefined ? undefined : { pid: link };
    const pid = await startProcess(this.#runtime, start, options, parent);
    const process = this.#runtime.find(pid);
    if (link !== undefined && process !== undefined) this.#runtime.link(process, link);
    return pid;
  }

  /** See `Processes.spawnOn`. */
  async spawnOn(
    node: string,
    factory: string,
    args: readonly unknown[],
    { timeoutMs = 5_000, signal, link, ...options }: SpawnOnOptions,
  ): Promise<Pid> {
    const order: Order = { args, options, link };
    const wait = { timeoutMs, ...(signal !== undefined && { signal }) };
    const to = { node, name: factoryName(factory) };
    const answer = await this.#node.call(to, order, wait).catch((thrown: unknown) => {
      if (!(thrown instanceof FoundationError) || thrown.code !== "noproc") throw thrown;
      const text = `'${node}' offers no factory '${factory}'`;
      throw new FoundationError("unknown_factory", text, { cause: thrown });
    });
    const [isStarted, value, text] = answer as Reply;
    if (isStarted && value instanceof Pid) return value;
    throw new FoundationError(isErrorCode(value) ? value : "init_failed", String(text));
  }
}

/** What came from elsewhere, with nothing in it but what it may hold. */
function checked({ args, options, link }: Partial<Order>): Order {
  const { name, label, mailbox, trapExit } = options ?? {};
  const isWell =
    Array.isArray(args) &&
    (link === undefined || link instanceof Pid) &&
    [name, label].every((text) => text === undefined || typeof text === "string") &&
    (mailbox === undefined || (typeof mailbox === "object" && mailbox !== null));
  if (!isWell) throw new FoundationError("invalid_options", "this is no order for a process");
  return {
    args: args as unknown[],
    link,
    options: {
      trapExit: trapExit === true,
      ...(name !== undefined && { name }),
      ...(label !== undefined && { label }),
      ...(mailbox !== undefined && { mailbox }),
    },
  };
}
