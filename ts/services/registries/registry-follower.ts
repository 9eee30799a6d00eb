import type { Pid } from "../../base/pid.ts";
import { GenServer } from "../../beam/gen-server.ts";
import type { Processes } from "../../beam/processes.ts";
import { isDown } from "../../beam/signals.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { RegistryCore } from "./registry-core.ts";
import {
  AUTHORITY_NAME,
  isRegistryNews,
  type RegistryNews,
  type RegistrySnapshot,
} from "./registry-wire.ts";

const RETRY = "follow again";
const RETRY_MS = 100;

/** What a follower works with. */
export interface FollowerPlan {
  readonly slot: ServiceSlot<RegistryCore>;
  readonly processes: Processes;
}

/** Keeps an isolate's copy of the registry like the authority's. */
export class RegistryFollower extends GenServer<[FollowerPlan]> {
  #plan: FollowerPlan | undefined;
  #authority: Pid | undefined;
  #next = Number.NaN;

  override async init(plan: FollowerPlan): Promise<void> {
    this.self.trapExit = true;
    this.#plan = plan;
    await this.#follow();
  }

  override async handleInfo(message: unknown): Promise<void> {
    if (isRegistryNews(message)) await this.#learn(message);
    else if (isDown(message) || message === RETRY) await this.#follow();
  }

  async #learn({ sequence, ops }: RegistryNews): Promise<void> {
    if (sequence > this.#next || Number.isNaN(this.#next)) return this.#follow();
    const fresh = ops.slice(this.#next - sequence);
    for (const op of fresh) this.#plan?.slot.core.apply(op);
    this.#next += fresh.length;
    this.#plan?.slot.core.reach(this.#next);
  }

  // A call is answered between other messages, so news may lie in the mailbox that the snapshot
  // has already; their numbers tell.
  async #follow(): Promise<void> {
    const { processes, slot } = this.#plan as FollowerPlan;
    try {
      const authority = await processes.lookup(AUTHORITY_NAME);
      if (authority === undefined) throw new Error("no authority yet");
      if (this.#authority?.equals(authority) !== true) this.self.monitor(authority);
      this.#authority = authority;
      const request = { op: "follow", follower: this.self.pid };
      const snapshot = (await processes.call(authority, request)) as RegistrySnapshot;
      slot.core.replaceAll(snapshot.entries);
      this.#next = snapshot.sequence;
      slot.core.reach(this.#next);
    } catch {
      this.#authority = undefined;
      this.#next = Number.NaN;
      processes.sendAfter(RETRY_MS, this.self.pid, RETRY);
    }
  }
}
