import type { Pid } from "../base/pid.ts";
import { thrownText } from "../base/thrown-text.ts";
import type { RegistryCore } from "./registries/registry-core.ts";
import type { ServiceSlot } from "./service-slot.ts";
import type { LogSink } from "./sinks.ts";

/** The namespace of a node's own services. */
export const PRODUCTION = "production";

/** The names of services in their namespaces: those of Foundation 1.x. */
export const SERVICE_NAMES = Object.freeze({
  config: "config_server",
  events: "event_store",
  telemetry: "telemetry_service",
  infrastructure: "infrastructure",
});

/** A kind of service that has a name. */
export type NamedService = keyof typeof SERVICE_NAMES;

/**
 * Keeps the processes of a node's own services under their names, so that nobody else gets these. A
 * service that starts while the registry is down has its name as soon as that is up.
 */
export class ServiceNames {
  readonly #registry: ServiceSlot<RegistryCore>;
  readonly #log: LogSink;
  readonly #pids = new Map<string, Pid>();

  constructor(registry: ServiceSlot<RegistryCore>, log: LogSink) {
    this.#registry = registry;
    this.#log = log;
  }

  /** A service has started. */
  started(service: NamedService, pid: Pid): void {
    this.#pids.set(SERVICE_NAMES[service], pid);
    this.write();
  }

  /** The registry has started. */
  write(): void {
    if (!this.#registry.isUp) return;
    const { core } = this.#registry;
    for (const [name, pid] of this.#pids) {
      try {
        core.register(PRODUCTION, name, pid);
      } catch (thrown) {
        // The service works without its name: the registry is full, or the process has just ended.
        this.#log.log("warn", "a service has no name", { name, reason: thrownText(thrown) });
      }
    }
  }
}
