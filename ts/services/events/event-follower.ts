import type { Processes } from "../../beam/processes.ts";
import { AuthorityLink } from "../authority-link.ts";
import { SteadyServer } from "../steady-server.ts";
import type { EventIds } from "./event-ids.ts";
import { EVENT_AUTHORITY_NAME, type EventReceipt } from "./event-wire.ts";
import type { PendingLimits } from "./pending-events.ts";

/** What a follower works with. */
export interface EventFollowerPlan {
  readonly processes: Processes;
  readonly ids: EventIds;
  /** Called when the authority was found, with its limits, and with false when it was lost. */
  readonly onLink: (isThere: boolean, limits?: PendingLimits) => void;
}

/**
 * Knows whether the node's events can be reached from an isolate and within which limits, and keeps
 * its ids above those that are in use: the node may have been started anew since they were given
 * out.
 */
export class EventFollower extends SteadyServer<[EventFollowerPlan]> {
  #plan: EventFollowerPlan | undefined;
  #link: AuthorityLink | undefined;

  override async init(plan: EventFollowerPlan): Promise<void> {
    this.self.trapExit = true;
    this.#plan = plan;
    this.#link = new AuthorityLink(EVENT_AUTHORITY_NAME, plan.processes, this.self);
    await this.#follow();
  }

  override async handleInfo(message: unknown): Promise<void> {
    if (this.#link?.isCall(message) !== true) return;
    this.#plan?.onLink(false);
    await this.#follow();
  }

  override terminate(): void {
    this.#plan?.onLink(false);
  }

  async #follow(): Promise<void> {
    await this.#link?.follow((answer) => {
      const { number = 0, limits } = answer as EventReceipt;
      this.#plan?.ids.raise(number);
      this.#plan?.onLink(true, limits);
    });
  }
}
