import { Config } from "../config/config.ts";
import type { ConfigCore } from "../config/config-core.ts";
import { ErrorContexts } from "../errors/error-contexts.ts";
import type { EventCore } from "../events/event-core.ts";
import { Events } from "../events/events.ts";
import { Infrastructure } from "../infrastructure/infrastructure.ts";
import type { InfrastructureCore } from "../infrastructure/infrastructure-core.ts";
import type { NamedService } from "../service-names.ts";
import { FoundSlot, type ServiceCore, type ServiceSlot } from "../service-slot.ts";
import type { LogSink } from "../sinks.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import type { TelemetryCore } from "../telemetry/telemetry-core.ts";
import type { ServiceInstances } from "./service-instances.ts";

/**
 * The services of a namespace, each independent of those of every other one. One that no supervisor
 * runs is unavailable, as while it is being restarted.
 */
export interface NamespaceServices {
  /** Its name. */
  readonly namespace: string;
  /** That of a child `Services.ConfigServer`. */
  readonly config: Config;
  /** That of a child `Services.EventStore`. */
  readonly events: Events;
  /** That of a child `Services.TelemetryService`. */
  readonly telemetry: Telemetry;
  /** That of a child `Services.Infrastructure`. */
  readonly infrastructure: Infrastructure;
  /** Contexts that are reported to the telemetry of the namespace. */
  readonly errorContexts: ErrorContexts;
}

/** Numbers of `service_unavailable`, by service. */
export const UNAVAILABLE = Object.freeze({
  config: 5000,
  events: 3000,
  telemetry: 28_200,
  infrastructure: 28_400,
});

/** The services of a namespace that users' supervisors run. */
export function namespaceServices(
  namespace: string,
  instances: ServiceInstances,
  log: LogSink,
): NamespaceServices {
  const slot = <Core extends ServiceCore>(service: NamedService): ServiceSlot<Core> => {
    return new FoundSlot<Core>(service, UNAVAILABLE[service], {
      find: () => instances.slot(namespace, service) as ServiceSlot<Core> | undefined,
      text: `no supervisor runs the service '${service}' in '${namespace}'`,
      context: { namespace },
    });
  };
  const telemetry = new Telemetry(slot<TelemetryCore>("telemetry"), log);
  return Object.freeze({
    namespace,
    config: new Config(slot<ConfigCore>("config")),
    events: new Events({
      slot: slot<EventCore>("events"),
      origin: instances.ground.eventOrigin,
    }),
    telemetry,
    infrastructure: new Infrastructure(slot<InfrastructureCore>("infrastructure")),
    errorContexts: new ErrorContexts(telemetry),
  });
}
