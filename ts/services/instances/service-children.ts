import { checkKeys, checkKind } from "../../base/option-checks.ts";
import type { Pid } from "../../base/pid.ts";
import { GenServerBody } from "../../beam/gen-server.ts";
import type { ProcessBody } from "../../beam/process-types.ts";
import type { Blueprint } from "../../beam/startable.ts";
import { ConfigCore } from "../config/config-core.ts";
import { type ConfigOptions, loadConfig } from "../config/config-options.ts";
import { EventCore } from "../events/event-core.ts";
import { type EventStoreLimits, eventStoreLimits } from "../events/event-service-options.ts";
import { InfrastructureCore } from "../infrastructure/infrastructure-core.ts";
import type { NamedService } from "../service-names.ts";
import { SteadyServer } from "../steady-server.ts";
import { TelemetryCore } from "../telemetry/telemetry-core.ts";
import type { TelemetryOptions } from "../telemetry/telemetry-options.ts";
import type { PlainObject } from "../toolkit/nested.ts";
import { followedConfig } from "./followed-config.ts";
import { type NamespaceServices, UNAVAILABLE } from "./namespace-services.ts";
import { instancesAt, type ServiceInstance, type ServiceInstances } from "./service-instances.ts";

/** The namespace of a service that names none. */
export const DEFAULT_NAMESPACE = "default";

/** Where a service runs that is a child of a supervisor. */
export interface NamespaceOptions {
  /**
   * Its namespace; in each there is one of a kind. `production` is that of the node's own services.
   * Unit: name. Default: `default`.
   */
  readonly namespace?: string;
}

/** How a `Services.ConfigServer` is set up. */
export interface ConfigServerOptions extends NamespaceOptions, ConfigOptions {
  /** Allows what is for tests only: `resetState`. Unit: switch. Default: false. */
  readonly testMode?: boolean;
}

/** How a `Services.EventStore` is set up; the configuration of its namespace says the rest. */
export interface EventStoreServiceOptions extends NamespaceOptions, Partial<EventStoreLimits> {}

/** How a `Services.TelemetryService` is set up. */
export interface TelemetryServiceOptions extends NamespaceOptions, TelemetryOptions {
  /** Allows what is for tests only: `resetState`. Unit: switch. Default: false. */
  readonly testMode?: boolean;
}

/** A kind of service, and how it is made of its options. */
interface Kind {
  readonly service: NamedService;
  readonly label: string;
  /** Makes the core of the first start, and afterwards that of a restart of what was before. */
  readonly prepare: (
    options: never,
    services: NamespaceServices,
    instances: ServiceInstances,
  ) => Promise<ServiceInstance["make"]>;
}

class InstanceProcess extends SteadyServer<[Kind, NamespaceOptions, Pid | undefined]> {
  #end = (): void => {};

  override async init(
    kind: Kind,
    options: NamespaceOptions,
    parent: Pid | undefined,
  ): Promise<void> {
    this.self.trapExit = true;
    const { namespace = DEFAULT_NAMESPACE, ...own } = options;
    const { service } = kind;
    const instances: ServiceInstances = instancesAt(this.self.pid);
    const { ground } = instances;
    const place = { namespace, service, numericCode: UNAVAILABLE[service] };
    const { pid } = this.self;
    const instance = await instances.take(place, { pid, parent }, async () => {
      return kind.prepare(own as never, ground.namespace(namespace), instances);
    });
    const core = instance.make(instance.slot.last);
    this.#end = () => instances.forget(namespace, service, instance);
    instance.slot.install(core);
    ground.processes.monitor(pid, () => instance.slot.remove(core));
    instances.started(namespace, service);
  }

  override terminate(): void {
    this.#end();
  }
}

function child(kind: Kind): Blueprint {
  return Object.freeze({
    label: kind.label,
    isSupervisor: false,
    make: (
      args: readonly unknown[],
      parent: Pid | undefined,
      isTemporary: boolean,
    ): ProcessBody<never> => {
      const [options = {}] = args;
      checkKind(`the argument of ${kind.label}`, typeof options === "object", "an object");
      const server = new InstanceProcess();
      return new GenServerBody(
        server as never,
        [kind, options, isTemporary ? undefined : parent],
        parent,
      ) as ProcessBody<never>;
    },
  });
}

const CONFIG: Kind = {
  service: "config",
  label: "ConfigServer",
  prepare: async (given: ConfigServerOptions, { events: store, telemetry }, { ground }) => {
    const { testMode, ...options } = given;
    const { initial } = await loadConfig(options);
    const { schemas = {}, updatable = [] } = options;
    // A namespace may have no event store: then there is nothing to store an event in.
    const record = (type: string, data: PlainObject): void => {
      if (store.available()) store.store(store.newEvent(type, data));
    };
    const events = { record };
    const { processes } = ground;
    const parts = { initial, schemas, updatable, testMode, telemetry, events, host: processes };
    return (last) => {
      const core = new ConfigCore(parts);
      if (last !== undefined) core.adopt(last as ConfigCore);
      return core;
    };
  },
};

const EVENTS: Kind = {
  service: "events",
  label: "EventStore",
  prepare: async (
    options: Partial<EventStoreLimits>,
    { namespace, config: followed, telemetry },
    instances,
  ) => {
    const { processes, eventOrigin } = instances.ground;
    const limits = eventStoreLimits(options);
    const config = followedConfig(followed, (listener) => {
      return instances.onStarted(namespace, "config", listener);
    });
    const parts = { origin: eventOrigin, limits, config, telemetry, host: processes };
    return (last) => new EventCore(parts, last as EventCore | undefined);
  },
};

const TELEMETRY: Kind = {
  service: "telemetry",
  label: "TelemetryService",
  prepare: async ({ testMode = false, ...options }: TelemetryServiceOptions) => {
    return (last) => {
      const before = last === undefined ? {} : { last: last as TelemetryCore };
      return new TelemetryCore(options, { testMode, ...before });
    };
  },
};

const INFRASTRUCTURE: Kind = {
  service: "infrastructure",
  label: "Infrastructure",
  prepare: async (options: object, { telemetry, config }) => {
    checkKeys("infrastructure", options, ["namespace"]);
    return (last) => {
      return new InfrastructureCore({ telemetry, config }, last as InfrastructureCore | undefined);
    };
  },
};

/**
 * Services as children of a supervisor, one of a kind in each namespace:
 * `{ id: "config", start: Services.ConfigServer, args: [{ namespace: "shop" }] }`. They are reached
 * through `node.services.namespace("shop")`, are registered there by the names of Foundation 1.x
 * (`config_server`, `event_store`, `telemetry_service`, `infrastructure`), and keep their state
 * when their process is killed. Registries have namespaces of their own.
 */
export const ServiceChildren = Object.freeze({
  /** A configuration of its own; its argument is a {@link ConfigServerOptions}. */
  ConfigServer: child(CONFIG),
  /** Events of their own; its argument is an {@link EventStoreServiceOptions}. */
  EventStore: child(EVENTS),
  /** Metrics and handlers of their own; its argument is a {@link TelemetryServiceOptions}. */
  TelemetryService: child(TELEMETRY),
  /** Breakers, limits and pools of their own; its argument is a {@link NamespaceOptions}. */
  Infrastructure: child(INFRASTRUCTURE),
});
