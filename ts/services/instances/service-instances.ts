import { FoundationError } from "../../base/errors.ts";
import type { Home, Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { Processes } from "../../beam/processes.ts";
import type { EventOrigin } from "../events/event-origin.ts";
import type { ProcessRegistry } from "../registries/process-registry.ts";
import { type NamedService, SERVICE_NAMES } from "../service-names.ts";
import { type ServiceCore, ServiceSlot } from "../service-slot.ts";
import type { NamespaceServices } from "./namespace-services.ts";

/** Most instances of an isolate whose supervisors are alive. */
const INSTANCES_MAX = 1_024;

/** What is kept of a service of a namespace from one start of its process to the next. */
export interface ServiceInstance {
  readonly slot: ServiceSlot<ServiceCore>;
  readonly make: (last: ServiceCore | undefined) => ServiceCore;
}

interface KeptInstance extends ServiceInstance {
  /** Ends the watch over who keeps it. */
  readonly release: Unsubscribe;
}

/** What instances stand on. */
export interface InstanceGround {
  readonly processes: Processes;
  readonly processRegistry: ProcessRegistry;
  /** What all events of the isolate are made with. */
  readonly eventOrigin: EventOrigin;
  /** The services of a namespace. */
  readonly namespace: (name: string) => NamespaceServices;
}

/** The services of namespaces that users' supervisors run in this isolate. */
export class ServiceInstances {
  readonly ground: InstanceGround;
  readonly #instances = new Map<string, KeptInstance>();
  readonly #watchers = new Set<(key: string) => void>();

  constructor(ground: InstanceGround) {
    this.ground = ground;
  }

  /** The place of a service; undefined where no supervisor runs one. */
  slot(namespace: string, service: NamedService): ServiceSlot<ServiceCore> | undefined {
    return this.#instances.get(keyOf(namespace, service))?.slot;
  }

  /** Whether a namespace has a service here. */
  areIn(namespace: string): boolean {
    const services = Object.keys(SERVICE_NAMES) as NamedService[];
    return services.some((service) => this.#instances.has(keyOf(namespace, service)));
  }

  /** A service has started, for the first time or again. */
  started(namespace: string, service: NamedService): void {
    const key = keyOf(namespace, service);
    for (const watcher of this.#watchers) watcher(key);
  }

  /** Calls a function at each start of a service, until the returned function is called. */
  onStarted(namespace: string, service: NamedService, listener: () => void): Unsubscribe {
    const key = keyOf(namespace, service);
    const watcher = (started: string): void => {
      if (started === key) listener();
    };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /**
   * Takes a name for a process that has just started, and finds what was kept for it: what `first`
   * makes where it is the first of its supervisor. It is kept until the process ends in order, or
   * its supervisor does. `parent`: whoever starts it again when it is killed, if anybody.
   *
   * @throws FoundationError `already_registered`, `resource_exhausted`, `noproc` where the process
   *   was killed meanwhile, and as `ProcessRegistry.claim`
   */
  async take(
    place: { namespace: string; service: NamedService; numericCode: number },
    { pid, parent }: { readonly pid: Pid; readonly parent: Pid | undefined },
    first: () => Promise<ServiceInstance["make"]>,
  ): Promise<ServiceInstance> {
    const { namespace, service, numericCode } = place;
    const { processes, processRegistry } = this.ground;
    await processRegistry.claim(namespace, SERVICE_NAMES[service], pid);
    const key = keyOf(namespace, service);
    const make = this.#instances.get(key)?.make ?? (await first());
    // It is not to take the place of the one that was started after it.
    if (!processes.isAlive(pid)) {
      throw new FoundationError("noproc", `the service '${service}' was killed as it started`);
    }
    const kept = this.#instances.get(key);
    if (kept !== undefined) return kept;
    if (this.#instances.size >= INSTANCES_MAX) {
      const text = `there are ${INSTANCES_MAX} services of namespaces in this isolate already`;
      throw new FoundationError("resource_exhausted", text);
    }
    const instance: KeptInstance = {
      slot: new ServiceSlot<ServiceCore>(service, numericCode),
      make,
      release: processes.monitor(parent ?? pid, () => this.#forget(key, instance)),
    };
    this.#instances.set(key, instance);
    return instance;
  }

  /** It has ended in order: whoever starts it again begins anew. */
  forget(namespace: string, service: NamedService, instance: ServiceInstance): void {
    this.#forget(keyOf(namespace, service), instance);
  }

  /** Lets go of what they hold open: the isolate has let go of its node. */
  close(): void {
    for (const { slot } of this.#instances.values()) slot.close();
    this.#instances.clear();
  }

  #forget(key: string, instance: ServiceInstance): void {
    const kept = this.#instances.get(key);
    if (kept !== instance) return;
    this.#instances.delete(key);
    kept.release();
    kept.slot.close();
  }
}

/** The instances of this thread's isolates of nodes, for children of supervisors to find. */
const HOMES = new WeakMap<Home, ServiceInstances>();

/** Lets the processes of a home run services of namespaces. */
export function settle(home: Home, instances: ServiceInstances): void {
  HOMES.set(home, instances);
}

/**
 * The instances where a process lives.
 *
 * @throws FoundationError `service_unavailable` where its node has no services
 */
export function instancesAt({ home }: Pid): ServiceInstances {
  const instances = HOMES.get(home);
  if (instances !== undefined) return instances;
  const text = "services run where their node's services do: in isolates that started or attached";
  throw new FoundationError("service_unavailable", text);
}

function keyOf(namespace: string, service: NamedService): string {
  return `${service}/${namespace}`;
}
