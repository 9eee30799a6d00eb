import type { Pid } from "../base/pid.ts";
import type { ChildOptions } from "../beam/child-spec.ts";
import type { Processes } from "../beam/processes.ts";
import type { Supervisors } from "../beam/supervisors.ts";
import { ErrorContexts } from "./errors/error-contexts.ts";
import { ProcessRegistry } from "./registries/process-registry.ts";
import { RegistryAuthority } from "./registries/registry-authority.ts";
import { RegistryCore } from "./registries/registry-core.ts";
import { RegistryFollower } from "./registries/registry-follower.ts";
import type { ProcessWatch } from "./registries/registry-types.ts";
import {
  AUTHORITY_NAME,
  type RegistryReceipt,
  type RegistryRequest,
} from "./registries/registry-wire.ts";
import { ServiceRegistry } from "./registries/service-registry.ts";
import { serviceChild } from "./service-process.ts";
import { ServiceSlot } from "./service-slot.ts";

/** What services stand on, in one isolate of a node. */
export interface ServiceGround {
  readonly processes: Processes;
  readonly supervisors: Supervisors;
  /** Whether this isolate has started the node: services of the node have their state here. */
  readonly isRoot: boolean;
}

// More restarts than OTP's three in five seconds: all services share one supervisor, and each of
// them may be killed in turn.
const INTENSITY = Object.freeze({ restartsMax: 20, withinMs: 5_000 });

/** The services of one isolate, each behind a process of its own. */
export class Services {
  readonly processRegistry: ProcessRegistry;
  readonly serviceRegistry: ServiceRegistry;
  readonly errorContexts = new ErrorContexts();
  readonly #ground: ServiceGround;
  readonly #registry = new ServiceSlot<RegistryCore>("processRegistry", 28_300);
  #supervisor: Pid | undefined;

  constructor(ground: ServiceGround) {
    this.#ground = ground;
    const { processes, isRoot } = ground;
    const ask = async (request: RegistryRequest): Promise<RegistryReceipt> => {
      return (await processes.call(AUTHORITY_NAME, request)) as RegistryReceipt;
    };
    this.processRegistry = new ProcessRegistry({
      slot: this.#registry,
      ender: processes,
      authority: isRoot ? undefined : { ask },
    });
    this.serviceRegistry = new ServiceRegistry(this.#registry, this.processRegistry);
  }

  /** The supervisor of the services; undefined before the start. */
  get supervisor(): Pid | undefined {
    return this.#supervisor;
  }

  /** Starts them; resolves when all are there. */
  async start(): Promise<void> {
    this.#supervisor = await this.#ground.supervisors.start({
      label: "Services",
      strategy: "restForOne",
      intensity: INTENSITY,
      children: this.#children(),
    });
  }

  #children(): ChildOptions[] {
    const { processes, isRoot } = this.#ground;
    const slot = this.#registry;
    const watch: ProcessWatch = {
      isAlive: (pid) => processes.isAlive(pid),
      isLocal: (pid) => processes.isLocal(pid),
      // A copy is told by the authority who has ended.
      monitor: isRoot ? (pid, onDown) => processes.monitor(pid, onDown) : () => () => {},
    };
    const make = (last: RegistryCore | undefined): RegistryCore => {
      const core = new RegistryCore(watch);
      if (last !== undefined) core.adopt(last);
      return core;
    };
    const plan = { slot, processes };
    const link: ChildOptions = isRoot
      ? { id: "registryAuthority", start: RegistryAuthority, args: [plan], name: AUTHORITY_NAME }
      : { id: "registryFollower", start: RegistryFollower, args: [plan] };
    return [serviceChild({ slot, processes, make }), link];
  }
}
