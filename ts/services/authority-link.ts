import type { Pid } from "../base/pid.ts";
import type { Self } from "../beam/process-types.ts";
import type { Processes } from "../beam/processes.ts";
import { isDown } from "../beam/signals.ts";

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
      if (this.#authority?.equals(authority) !== true) this.#self.monitor(authority);
      this.#authority = authority;
      take(await this.#processes.call(authority, { op: "follow", follower: this.#self.pid }));
    } catch {
      this.#authority = undefined;
      this.#processes.sendAfter(RETRY_MS, this.#self.pid, RETRY);
    }
  }
}
