import type { Pid } from "../../base/pid.ts";
import { GenServer } from "../../beam/gen-server.ts";
import type { Processes } from "../../beam/processes.ts";
import { isDown } from "../../beam/signals.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { ConfigCore } from "./config-core.ts";
import { CONFIG_AUTHORITY_NAME, type ConfigReceipt } from "./config-wire.ts";
import type { ConfigMessage } from "./subscribers.ts";

const RETRY = "follow again";
const RETRY_MS = 100;

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
export class ConfigFollower extends GenServer<[ConfigFollowerPlan]> {
  #plan: ConfigFollowerPlan | undefined;
  #authority: Pid | undefined;

  override async init(plan: ConfigFollowerPlan): Promise<void> {
    this.self.trapExit = true;
    this.#plan = plan;
    await this.#fetch(undefined);
  }

  override async handleInfo(message: unknown): Promise<void> {
    if (isConfigMessage(message)) await this.#fetch(message);
    else if (isDown(message) || message === RETRY) await this.#fetch(undefined);
  }

  async #fetch(news: ConfigMessage | undefined): Promise<void> {
    const { slot, make, processes } = this.#plan as ConfigFollowerPlan;
    try {
      const receipt = await this.#ask(processes);
      if (slot.isUp) slot.core.replace(receipt.config, news?.notification);
      else slot.install(make(receipt));
    } catch {
      this.#authority = undefined;
      processes.sendAfter(RETRY_MS, this.self.pid, RETRY);
    }
  }

  async #ask(processes: Processes): Promise<ConfigReceipt> {
    const authority = await processes.lookup(CONFIG_AUTHORITY_NAME);
    if (authority === undefined) throw new Error("no authority yet");
    if (this.#authority?.equals(authority) !== true) this.self.monitor(authority);
    this.#authority = authority;
    const request = { op: "follow", follower: this.self.pid };
    return (await processes.call(authority, request)) as ConfigReceipt;
  }
}

function isConfigMessage(message: unknown): message is ConfigMessage {
  if (typeof message !== "object" || message === null) return false;
  return Reflect.get(message, "kind") === "CONFIG_NOTIFICATION";
}
