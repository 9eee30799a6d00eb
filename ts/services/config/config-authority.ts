import { attempt, FoundationError } from "../../base/errors.ts";
import { errorToRecord } from "../errors/json.ts";
import { asFoundationError } from "../errors/wrapping.ts";
import type { ServiceSlot } from "../service-slot.ts";
import { SteadyServer } from "../steady-server.ts";
import type { ConfigCore } from "./config-core.ts";
import type { ConfigReceipt, ConfigRequest } from "./config-wire.ts";

/** Answers the other isolates of a node: changes settings for them, and lets them subscribe. */
export class ConfigAuthority extends SteadyServer<[ServiceSlot<ConfigCore>]> {
  #slot: ServiceSlot<ConfigCore> | undefined;

  override init(slot: ServiceSlot<ConfigCore>): void {
    this.self.trapExit = true;
    this.#slot = slot;
  }

  override handleCall(request: ConfigRequest): ConfigReceipt {
    const slot = this.#slot as ServiceSlot<ConfigCore>;
    // What a request fails with is its sender's to know, and no end of this process.
    const done = attempt(() => change(slot, request));
    const error = done.ok ? undefined : errorToRecord(asFoundationError(done.error));
    const { held } = slot;
    return { config: held.config, updatable: held.updatablePaths(), error };
  }
}

function change(slot: ServiceSlot<ConfigCore>, request: ConfigRequest): void {
  switch (request.op) {
    case "follow":
      // The next core has the subscribers of the one before.
      slot.held.subscribe(request.follower, []);
      return;
    case "update":
      return slot.core.update(request.path, request.value);
    case "reset":
      return slot.core.reset(request.to);
    default: {
      const text = "the configuration knows no such request";
      throw new FoundationError("operation_not_supported", text);
    }
  }
}
