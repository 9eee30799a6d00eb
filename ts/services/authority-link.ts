import type { Pid } from "../base/pid.ts";
import type { Self } from "../beam/process-types.ts";
import type { Processes } from "../beam/processes.ts";
import { isDown, type MonitorRef } from "../beam/signals.ts";

const RETRY = "follow again";
const RETRY_MS = 100;

/**
 * The way of a follower, a process that keeps its isolate's copy of a service, to the authority
 * that holds it. The follower asks again when the authority ended, and when it was not there.
 */
export class AuthorityLink {
  readonly #name: string;
  readonly #processes: Processes;
  readonly #self: Self;
  #authority: Pid | undefined;
  #monitor: MonitorRef | undefined;

  /** `name`: that of the authority's process; `self`: the follower. */
  constructor(name: string, processes: Processes, self: Self) {
    this.#name = name;
    this.#processes = processes;
    this.#self = self;
  }

  /** Whether a message to the follower says that it has to follow anew. */
  isCall(message: unknown): boolean {
    return isDown(message) || message === RETRY;
  }

  /**
   * Follows: what the authority says to that is taken. Where either fails, a message comes later
   * that {@link isCall} knows.
   */
  async follow(take: (answer: unknown) => void): Promise<void> {
    try {
      const authority = await this.#processes.lookup(this.#name);
      if (authority === undefined) throw new Error(`no '${this.#name}' yet`);
      this.#watch(authority);
      take(await this.#processes.call(authority, { op: "follow", follower: this.#self.pid }));
    } catch {
      this.#processes.sendAfter(RETRY_MS, this.#self.pid, RETRY);
    }
  }

  #watch(authority: Pid): void {
    if (this.#authority?.equals(authority) === true) return;
    if (this.#monitor !== undefined) this.#self.demonitor(this.#monitor, { flush: true });
    this.#monitor = this.#self.monitor(authority);
    this.#authority = authority;
  }
}
