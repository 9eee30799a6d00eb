import type { Pid } from "../base/pid.ts";
import type { ChildOptions } from "../beam/child-spec.ts";
import type { Processes } from "../beam/processes.ts";
import type { ServiceCore, ServiceSlot } from "./service-slot.ts";
import { SteadyServer } from "./steady-server.ts";

/** How the process of a service gets its core, and who watches that process. */
export interface ServicePlan<Core extends ServiceCore> {
  readonly slot: ServiceSlot<Core>;
  readonly processes: Processes;
  /** Makes the core, from that of the process before where there was one. */
  readonly make: (last: Core | undefined) => Core;
  /** Is told of each start, when callers find the core. Default: nobody. */
  readonly started?: (pid: Pid) => void;
}

/** The process behind a service: while it lives, callers find the core in the slot. */
export class ServiceProcess extends SteadyServer<[ServicePlan<ServiceCore>]> {
  #core: ServiceCore | undefined;

  override init({ slot, processes, make, started }: ServicePlan<ServiceCore>): void {
    // So that an orderly end gets to `terminate`, and nobody's crash is that of a service.
    this.self.trapExit = true;
    const core = make(slot.last);
    this.#core = core;
    slot.install(core);
    // Also where it is killed and never gets to `terminate`.
    processes.monitor(this.self.pid, () => slot.remove(core));
    started?.(this.self.pid);
  }

  override terminate(): void {
    this.#core?.close?.();
  }
}

/** The child spec of a service, for its supervisor. */
export function serviceChild<Core extends ServiceCore>(plan: ServicePlan<Core>): ChildOptions {
  return { id: plan.slot.name, start: ServiceProcess, args: [plan], restart: "permanent" };
}
