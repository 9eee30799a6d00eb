import type { Processes } from "../../beam/processes.ts";
import { AuthorityLink } from "../authority-link.ts";
import type { ServiceSlot } from "../service-slot.ts";
import { SteadyServer } from "../steady-server.ts";
import type { ConfigCore } from "./config-core.ts";
import { CONFIG_AUTHORITY_NAME, type ConfigReceipt } from "./config-wire.ts";
import type { ConfigMessage } from "./subscribers.ts";

/** What a follower works with. */
export interface ConfigFollowerPlan {
  readonly slot: ServiceSlot<ConfigCore>;
  readonly processes: Processes;
  /** Makes the copy, once its configuration is known. */
  readonly make: (receipt: ConfigReceipt) => ConfigCore;
}

/**
 * Keeps an isolate's copy of the configuration like the authority's. It fetches the whole at every
 * change: changes are rare, and what subscribers are told has no secrets in it.
 */
export class ConfigFollower extends SteadyServer<[ConfigFollowerPlan]> {
  #plan: ConfigFollowerPlan | undefined;
  #link: AuthorityLink | undefined;

  override async init(plan: ConfigFollowerPlan): Promise<void> {
    this.self.trapExit = true;
    this.#plan = plan;
    this.#link = new AuthorityLink(CONFIG_AUTHORITY_NAME, plan.processes, this.self);
    await this.#fetch(undefined);
  }

  override async handleInfo(message: unknown): Promise<void> {
    if (isConfigMessage(message)) await this.#fetch(message);
    else if (this.#link?.isCall(message) === true) await this.#fetch(undefined);
  }

  async #fetch(news: ConfigMessage | undefined): Promise<void> {
    const { slot, make } = this.#plan as ConfigFollowerPlan;
    await this.#link?.follow((answer) => {
      const receipt = answer as ConfigReceipt;
      if (slot.isUp) slot.core.replace(receipt.config, news?.notification);
      else slot.install(make(receipt));
    });
  }
}

function isConfigMessage(message: unknown): message is ConfigMessage {
  if (typeof message !== "object" || message === null) return false;
  return Reflect.get(message, "kind") === "CONFIG_NOTIFICATION";
}
