import { FoundationError } from "../base/errors.ts";
import type { FoundationNode } from "../foundation.ts";
import { Config as ConfigOfNode } from "../services/config/config.ts";
import type { ConfigCore } from "../services/config/config-core.ts";
import { ErrorContexts } from "../services/errors/error-contexts.ts";
import { Infrastructure as InfrastructureOfNode } from "../services/infrastructure/infrastructure.ts";
import type { InfrastructureCore } from "../services/infrastructure/infrastructure-core.ts";
import { ProcessRegistry as ProcessRegistryOfNode } from "../services/registries/process-registry.ts";
import type { RegistryCore } from "../services/registries/registry-core.ts";
import { ServiceRegistry as ServiceRegistryOfNode } from "../services/registries/service-registry.ts";
import { type ServiceCore, ServiceSlot } from "../services/service-slot.ts";
import { Telemetry as TelemetryOfNode } from "../services/telemetry/telemetry.ts";
import type { TelemetryCore } from "../services/telemetry/telemetry-core.ts";
import { defaultNode } from "./default-node.ts";

/** The configuration of a node: `node.config`. */
export type Config = ConfigOfNode;
/** Counters, gauges, histograms and spans of an isolate: `node.telemetry`. */
export type Telemetry = TelemetryOfNode;
/** Names for processes: `node.processRegistry`. */
export type ProcessRegistry = ProcessRegistryOfNode;
/** Services by name: `node.serviceRegistry`. */
export type ServiceRegistry = ServiceRegistryOfNode;
/** Protection of calls to other services: `node.infrastructure`. */
export type Infrastructure = InfrastructureOfNode;

/** The slot of a service where no node was started: never up. */
class NoNode<Core extends ServiceCore> extends ServiceSlot<Core> {
  readonly #code: number;

  constructor(name: string, numericCode: number) {
    super(name, numericCode);
    this.#code = numericCode;
  }

  override get core(): Core {
    const text = "no node has been started in this isolate: `Foundation.initialize` starts one";
    throw new FoundationError("service_unavailable", text, {
      numericCode: this.#code,
      context: { service: this.name, node: null },
    });
  }
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

const registry = new NoNode<RegistryCore>("processRegistry", 28_300);
const telemetry = new TelemetryOfNode(new NoNode<TelemetryCore>("telemetry", 28_200));
const processes = new ProcessRegistryOfNode({
  slot: registry,
  // Nobody has a name where there is no registry, so nobody is to be ended.
  ender: { exit: () => {}, exitOf: async () => {} },
});

/** The configuration of the default node: `Config.get(["ai", "provider"])`. */
export const Config: Config = boundToDefault(
  new ConfigOfNode(new NoNode<ConfigCore>("config", 5000)),
  (node) => node.config,
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
  new ServiceRegistryOfNode(registry, processes),
  (node) => node.serviceRegistry,
);

/**
 * The protection of the default node: `Infrastructure.executeProtected("api", …)`. `standalone`
 * makes one that belongs to no node.
 */
export const Infrastructure: Infrastructure & Pick<typeof InfrastructureOfNode, "standalone"> =
  boundToDefault(
    new InfrastructureOfNode(new NoNode<InfrastructureCore>("infrastructure", 28_400)),
    (node) => node.infrastructure,
    { standalone: InfrastructureOfNode.standalone },
  );

/**
 * Contexts of operations, reported to the default node's telemetry where there is one:
 * `ErrorContext.withContext(ErrorContext.new("Shop", "pay"), …)`.
 */
export const ErrorContext: ErrorContexts = boundToDefault(
  new ErrorContexts(telemetry),
  (node) => node.errorContexts,
);
