import { Wait } from "../base/deadline.ts";
import { FoundationError } from "../base/errors.ts";
import type { DrainedOptions } from "./node-types.ts";

interface Waiter {
  /** Key of the member, or `undefined` for a receiver in this node. */
  readonly peer: number | undefined;
  readonly isRoom: () => boolean;
  readonly wait: Wait<void>;
}

/** Senders that were refused and wait until they may try again. */
export class DrainedWaiters {
  readonly #waiters = new Set<Waiter>();

  /** Resolves when `isRoom` says so; it asks for a wake-up each time it says no. */
  async add(
    options: DrainedOptions,
    peer: number | undefined,
    isRoom: () => boolean,
  ): Promise<void> {
    if (isRoom()) return;
    const late = (): string => `no room for '${options.to}' within ${options.timeoutMs} ms`;
    const wait = new Wait<void>(options, "timeout", late, () => this.#waiters.delete(waiter));
    const waiter: Waiter = { peer, isRoom, wait };
    if (options.signal?.aborted !== true) this.#waiters.add(waiter);
    return wait.promise;
  }

  /** Something moved: lets those go whose room came. */
  check(): void {
    if (this.#waiters.size === 0) return;
    for (const waiter of [...this.#waiters]) if (waiter.isRoom()) waiter.wait.resolve();
  }

  /** The receiver is gone: there will be no room. */
  reject(peer: number, name: string): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.peer !== peer) continue;
      waiter.wait.reject(new FoundationError("noconnection", `the link to '${name}' is down`));
    }
  }

  /** The node is gone, for the reason given. */
  close(reason: FoundationError): void {
    for (const waiter of [...this.#waiters]) waiter.wait.reject(reason);
  }
}
