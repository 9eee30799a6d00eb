import type { FoundationNode } from "../foundation.ts";
import { Config as NodeConfig } from "../services/config/config.ts";
import type { ConfigCore } from "../services/config/config-core.ts";
import { ErrorContexts } from "../services/errors/error-contexts.ts";
import type { EventCore } from "../services/events/event-core.ts";
import { EventOrigin } from "../services/events/event-origin.ts";
import { Events as NodeEvents } from "../services/events/events.ts";
import { Infrastructure as NodeInfrastructure } from "../services/infrastructure/infrastructure.ts";
import type { InfrastructureCore } from "../services/infrastructure/infrastructure-core.ts";
import { ServiceChildren } from "../services/instances/service-children.ts";
import { ProcessRegistry as NodeProcessRegistry } from "../services/registries/process-registry.ts";
import type { RegistryCore } from "../services/registries/registry-core.ts";
import { ServiceRegistry as NodeServiceRegistry } from "../services/registries/service-registry.ts";
import { FoundSlot, type ServiceCore, type ServiceSlot } from "../services/service-slot.ts";
import type { Services as NodeServices } from "../services/services.ts";
import { Telemetry as NodeTelemetry } from "../services/telemetry/telemetry.ts";
import type { TelemetryCore } from "../services/telemetry/telemetry-core.ts";
import { defaultNode } from "./default-node.ts";

/** The configuration of a node: `node.config`. */
export type Config = NodeConfig;
/** What happened on a node: `node.events`. */
export type Events = NodeEvents;
/** Counters, gauges, histograms and spans of an isolate: `node.telemetry`. */
export type Telemetry = NodeTelemetry;
/** Names for processes: `node.processRegistry`. */
export type ProcessRegistry = NodeProcessRegistry;
/** Services by name: `node.serviceRegistry`. */
export type ServiceRegistry = NodeServiceRegistry;
/** Protection of calls to other services: `node.infrastructure`. */
export type Infrastructure = NodeInfrastructure;

/** The place of a service where no node was started: never up. */
function noNode<Core extends ServiceCore>(name: string, numericCode: number): ServiceSlot<Core> {
  return new FoundSlot<Core>(name, numericCode, {
    find: () => undefined,
    text: "no node has been started in this isolate: `Foundation.initialize` starts one",
    context: { node: null },
  });
}

/**
 * A service in the module style: each call is one of the default node's service or, where there is
 * no such node, one of a service that is not running. `also`: what needs no node.
 */
function boundToDefault<Service extends object, Also extends object = object>(
  absent: Service,
  of: (node: FoundationNode) => Service,
  also?: Also,
): Service & Also {
  const current = (): Service => {
    const node = defaultNode();
    return node === undefined ? absent : of(node);
  };
  const bound = { ...also };
  const { constructor: _, ...members } = Object.getOwnPropertyDescriptors(
    Object.getPrototypeOf(absent) as object,
  );
  for (const key of Reflect.ownKeys(members)) {
    const isMethod = typeof Reflect.get(members, key).value === "function";
    const get = (): unknown => Reflect.get(current(), key);
    const value = (...args: unknown[]): unknown => {
      const service = current();
      return Reflect.apply(Reflect.get(service, key) as CallableFunction, service, args);
    };
    const enumerable = typeof key === "string";
    Object.defineProperty(bound, key, isMethod ? { value, enumerable } : { get, enumerable });
  }
  return Object.freeze(bound) as Service & Also;
}

const registry = noNode<RegistryCore>("processRegistry", 28_300);
const telemetry = new NodeTelemetry(noNode<TelemetryCore>("telemetry", 28_200));
const processes = new NodeProcessRegistry({
  slot: registry,
  // Nobody has a name where there is no registry, so nobody is to be ended.
  ender: { exit: () => {}, exitOf: async () => {} },
});

/** The services of a node or isolate: `node.services`. */
export type Services = NodeServices;

/**
 * Services as children of a supervisor, one of a kind in each namespace:
 * `{ id: "config", start: Services.ConfigServer, args: [{ namespace: "shop" }] }`.
 */
export const Services = ServiceChildren;

/** The configuration of the default node: `Config.get(["ai", "provider"])`. */
export const Config: Config = boundToDefault(
  new NodeConfig(noNode<ConfigCore>("config", 5000)),
  (node) => node.config,
);

/**
 * The events of the default node: `Events.store(Events.newEvent("order_placed", { id: 7 }))`. Where
 * there is none, events can be made, written and read; their node is `nonode`, as BEAM calls it.
 */
export const Events: Events = boundToDefault(
  new NodeEvents({
    slot: noNode<EventCore>("events", 3000),
    origin: new EventOrigin({ home: { node: "nonode", slot: 0 } }),
  }),
  (node) => node.events,
);

/**
 * The telemetry of the default node: `Telemetry.emitCounter(["requests"])`. What is emitted where
 * there is none is lost, as while the service is down.
 */
export const Telemetry: Telemetry = boundToDefault(telemetry, (node) => node.telemetry);

/** The names of the default node: `ProcessRegistry.lookup("production", "api")`. */
export const ProcessRegistry: ProcessRegistry = boundToDefault(
  processes,
  (node) => node.processRegistry,
);

/** The services of the default node: `ServiceRegistry.register("production", "api", pid)`. */
export const ServiceRegistry: ServiceRegistry = boundToDefault(
  new NodeServiceRegistry(registry, processes),
  (node) => node.serviceRegistry,
);

/**
 * The protection of the default node: `Infrastructure.executeProtected("api", …)`. `standalone`
 * makes one that belongs to no node.
 */
export const Infrastructure: Infrastructure & Pick<typeof NodeInfrastructure, "standalone"> =
  boundToDefault(
    new NodeInfrastructure(noNode<InfrastructureCore>("infrastructure", 28_400)),
    (node) => node.infrastructure,
    { standalone: NodeInfrastructure.standalone },
  );

/**
 * Contexts of operations, reported to the default node's telemetry where there is one:
 * `ErrorContext.withContext(ErrorContext.new("Shop", "pay"), …)`.
 */
export const ErrorContext: ErrorContexts = boundToDefault(
  new ErrorContexts(telemetry),
  (node) => node.errorContexts,
);
