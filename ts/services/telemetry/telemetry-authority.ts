import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { Processes } from "../../beam/processes.ts";
import { isDown, type MonitorRef } from "../../beam/signals.ts";
import { AuthorityLink } from "../authority-link.ts";
import type { ServiceSlot } from "../service-slot.ts";
import { SteadyServer } from "../steady-server.ts";
import type { TelemetryCore } from "./telemetry-core.ts";
import type { TelemetryOptions } from "./telemetry-options.ts";
import {
  type MetricsPage,
  pageOf,
  TELEMETRY_AUTHORITY_NAME,
  type TelemetryRequest,
} from "./telemetry-wire.ts";

/** What the processes that answer for an isolate's metrics work with. */
export interface AnswererPlan {
  readonly slot: ServiceSlot<TelemetryCore>;
  readonly processes: Processes;
}

/**
 * Knows the isolates of the node that measure, tells them how, and answers for its own metrics.
 * Nothing is sent unless somebody asks.
 */
export class TelemetryAuthority extends SteadyServer<[AnswererPlan]> {
  readonly #followers = new Map<MonitorRef, Pid>();
  #plan: AnswererPlan | undefined;

  override init(plan: AnswererPlan): void {
    this.self.trapExit = true;
    this.#plan = plan;
  }

  override handleCall(request: TelemetryRequest): unknown {
    switch (request.op) {
      case "follow":
        return this.#follow(request.follower);
      case "isolates":
        return [this.self.pid, ...this.#followers.values()];
      default:
        return answerPage(this.#plan, request.after);
    }
  }

  override handleInfo(message: unknown): void {
    if (isDown(message)) this.#followers.delete(message.ref);
  }

  #follow(follower: Pid): TelemetryOptions {
    const known = [...this.#followers.values()].some((pid) => pid.equals(follower));
    if (!known) this.#followers.set(this.self.monitor(follower), follower);
    return (this.#plan as AnswererPlan).slot.held.config;
  }
}

/** Measures as the node's options say, and answers for the metrics of its isolate. */
export class TelemetryFollower extends SteadyServer<[AnswererPlan]> {
  #plan: AnswererPlan | undefined;
  #link: AuthorityLink | undefined;

  override async init(plan: AnswererPlan): Promise<void> {
    this.self.trapExit = true;
    this.#plan = plan;
    this.#link = new AuthorityLink(TELEMETRY_AUTHORITY_NAME, plan.processes, this.self);
    await this.#follow();
  }

  override handleCall(request: TelemetryRequest): unknown {
    return answerPage(this.#plan, request.op === "page" ? request.after : 0);
  }

  override async handleInfo(message: unknown): Promise<void> {
    if (this.#link?.isCall(message) === true) await this.#follow();
  }

  async #follow(): Promise<void> {
    await this.#link?.follow((options) => {
      if (options !== undefined) this.#plan?.slot.core.configure(options as TelemetryOptions);
    });
  }
}

// What keeps it from answering is for whoever asks to know, and no end of this process.
function answerPage(plan: AnswererPlan | undefined, after: number): MetricsPage {
  try {
    return pageOf((plan as AnswererPlan).slot.core.store.partsAfter(after));
  } catch (thrown) {
    const error = thrown instanceof FoundationError ? thrown.code : "internal";
    return { parts: [], next: undefined, error };
  }
}
