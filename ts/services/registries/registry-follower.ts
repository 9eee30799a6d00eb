import type { Processes } from "../../beam/processes.ts";
import { AuthorityLink } from "../authority-link.ts";
import type { ServiceSlot } from "../service-slot.ts";
import { SteadyServer } from "../steady-server.ts";
import type { RegistryCore } from "./registry-core.ts";
import {
  AUTHORITY_NAME,
  isRegistryNews,
  type RegistryNews,
  type RegistrySnapshot,
} from "./registry-wire.ts";

/** What a follower works with. */
export interface FollowerPlan {
  readonly slot: ServiceSlot<RegistryCore>;
  readonly processes: Processes;
}

/** Keeps an isolate's copy of the registry like the authority's. */
export class RegistryFollower extends SteadyServer<[FollowerPlan]> {
  #plan: FollowerPlan | undefined;
  #link: AuthorityLink | undefined;
  #next = Number.NaN;

  override async init(plan: FollowerPlan): Promise<void> {
    this.self.trapExit = true;
    this.#plan = plan;
    this.#link = new AuthorityLink(AUTHORITY_NAME, plan.processes, this.self);
    await this.#follow();
  }

  override async handleInfo(message: unknown): Promise<void> {
    if (isRegistryNews(message)) await this.#learn(message);
    else if (this.#link?.isCall(message) === true) await this.#follow();
  }

  async #learn({ sequence, ops }: RegistryNews): Promise<void> {
    if (sequence > this.#next || Number.isNaN(this.#next)) return this.#follow();
    const fresh = ops.slice(this.#next - sequence);
    for (const op of fresh) this.#core?.apply(op);
    this.#next += fresh.length;
    this.#core?.reach(this.#next);
  }

  // A call is answered between other messages, so news may lie in the mailbox that the snapshot
  // has already; their numbers tell.
  async #follow(): Promise<void> {
    this.#next = Number.NaN;
    await this.#link?.follow((answer) => {
      const { entries, sequence } = answer as RegistrySnapshot;
      this.#core?.replaceAll(entries);
      this.#next = sequence;
      this.#core?.reach(sequence);
    });
  }

  get #core(): RegistryCore | undefined {
    return this.#plan?.slot.core;
  }
}
