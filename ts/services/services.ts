import { checkKind } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import type { ChildOptions } from "../beam/child-spec.ts";
import type { Processes } from "../beam/processes.ts";
import type { Supervisors } from "../beam/supervisors.ts";
import type { ClusterNode } from "../kernel/node.ts";
import type { Capture } from "./capture/capture.ts";
import { CaptureService } from "./capture/capture-service.ts";
import type { CaptureConfigReader } from "./capture/capture-settings.ts";
import type { CaptureOptions } from "./capture/capture-types.ts";
import { capturedEvents } from "./captured-events.ts";
import { Config } from "./config/config.ts";
import { ConfigAuthority } from "./config/config-authority.ts";
import { ConfigCore } from "./config/config-core.ts";
import { ConfigFollower } from "./config/config-follower.ts";
import { buildConfig } from "./config/config-logic.ts";
import { type ConfigOptions, type LoadedConfig, loadConfig } from "./config/config-options.ts";
import {
  CONFIG_AUTHORITY_NAME,
  type ConfigReceipt,
  type ConfigRequest,
} from "./config/config-wire.ts";
import { ErrorContexts } from "./errors/error-contexts.ts";
import type { EventCore } from "./events/event-core.ts";
import { EventService } from "./events/event-service.ts";
import type { EventStoreOptions } from "./events/event-service-options.ts";
import type { Events } from "./events/events.ts";
import { healthOf, type ServicesHealth } from "./health.ts";
import { Infrastructure } from "./infrastructure/infrastructure.ts";
import { InfrastructureCore } from "./infrastructure/infrastructure-core.ts";
import type { NamespaceServices } from "./instances/namespace-services.ts";
import { Namespaces } from "./instances/namespaces.ts";
import { ServiceInstances, settle } from "./instances/service-instances.ts";
import { ProcessRegistry } from "./registries/process-registry.ts";
import { RegistryAuthority } from "./registries/registry-authority.ts";
import { RegistryCore } from "./registries/registry-core.ts";
import { RegistryFollower } from "./registries/registry-follower.ts";
import type { ProcessWatch, RegistryOptions } from "./registries/registry-types.ts";
import {
  AUTHORITY_NAME,
  type RegistryReceipt,
  type RegistryRequest,
} from "./registries/registry-wire.ts";
import { ServiceRegistry } from "./registries/service-registry.ts";
import { type NamedService, PRODUCTION, ServiceNames } from "./service-names.ts";
import { serviceChild } from "./service-process.ts";
import { type ServiceCore, ServiceSlot } from "./service-slot.ts";
import { guardedLog, type LogSink, NO_LOG } from "./sinks.ts";
import { Telemetry } from "./telemetry/telemetry.ts";
import { TelemetryAuthority, TelemetryFollower } from "./telemetry/telemetry-authority.ts";
import { TelemetryCore } from "./telemetry/telemetry-core.ts";
import type { TelemetryOptions } from "./telemetry/telemetry-options.ts";
import { TELEMETRY_AUTHORITY_NAME } from "./telemetry/telemetry-wire.ts";
import { getNested } from "./toolkit/nested.ts";

/** What services stand on, in one isolate of a node. */
export interface ServiceGround {
  readonly processes: Processes;
  readonly supervisors: Supervisors;
  /** The node that the isolate is part of. */
  readonly node: Pick<ClusterNode, "isolates" | "metrics" | "place">;
  /** Number of the node in this process. */
  readonly nodeId: number;
  /** Whether this isolate has started the node: services of the node have their state here. */
  readonly isRoot: boolean;
}

/** How the services of a node are set up. */
export interface ServiceOptions {
  /** Where the configuration comes from. Unit: options. Default: defaults and the environment. */
  readonly config?: ConfigOptions | undefined;
  /** Limits of the event store, and its log. Unit: options. Default: `EVENT_STORE_DEFAULTS`. */
  readonly events?: EventStoreOptions | undefined;
  /** Limits of the telemetry. Unit: options. Default: `TELEMETRY_DEFAULTS`. */
  readonly telemetry?: TelemetryOptions | undefined;
  /** Limits of the registries. Unit: options. Default: `REGISTRY_DEFAULTS`. */
  readonly registries?: RegistryOptions | undefined;
  /** Limits of the capture. Unit: options. Default: `CAPTURE_DEFAULTS`. */
  readonly capture?: CaptureOptions | undefined;
  /** Where the services of this isolate write what people read. Unit: sink. Default: nowhere. */
  readonly log?: LogSink | undefined;
  /** Allows what is for tests only: `resetState`. Unit: switch. Default: false. */
  readonly testMode?: boolean | undefined;
}

// More restarts than OTP's three in five seconds: all services share one supervisor, and each of
// them may be killed in turn.
const INTENSITY = Object.freeze({ restartsMax: 50, withinMs: 5_000 });

/** The services of one isolate, each behind a process of its own. */
export class Services {
  readonly config: Config;
  readonly events: Events;
  readonly processRegistry: ProcessRegistry;
  readonly serviceRegistry: ServiceRegistry;
  readonly telemetry: Telemetry;
  readonly infrastructure: Infrastructure;
  readonly errorContexts: ErrorContexts;
  readonly capture: Capture;
  readonly #ground: ServiceGround;
  readonly #registry = new ServiceSlot<RegistryCore>("processRegistry", 28_300);
  readonly #config = new ServiceSlot<ConfigCore>("config", 5000);
  readonly #eventStore = new ServiceSlot<EventCore>("events", 3000);
  readonly #eventService: EventService;
  readonly #telemetry = new ServiceSlot<TelemetryCore>("telemetry", 28_200);
  readonly #infrastructure = new ServiceSlot<InfrastructureCore>("infrastructure", 28_400);
  readonly #captureService: CaptureService;
  readonly #instances: ServiceInstances;
  readonly #namespaces: Namespaces;
  readonly #names: ServiceNames;
  #supervisor: Pid | undefined;
  #log = NO_LOG;
  // A log that fails is no failure of who writes there.
  readonly #sink = guardedLog({ log: (...line) => this.#log.log(...line) });

  constructor(ground: ServiceGround) {
    this.#ground = ground;
    const log = this.#sink;
    const telemetry = new Telemetry(this.#telemetry, log, {
      isolate: String(ground.node.place.slot),
      processes: ground.processes,
    });
    this.telemetry = telemetry;
    this.errorContexts = new ErrorContexts(telemetry);
    this.infrastructure = new Infrastructure(this.#infrastructure);
    const { processes, isRoot } = ground;
    const askConfig = async (request: ConfigRequest): Promise<ConfigReceipt> => {
      return (await processes.call(CONFIG_AUTHORITY_NAME, request)) as ConfigReceipt;
    };
    this.config = new Config(this.#config, isRoot ? undefined : { ask: askConfig });
    const { config } = this;
    const slot = this.#eventStore;
    this.#eventService = new EventService({ slot, processes, isRoot, config, telemetry, log });
    this.events = this.#eventService.events;
    const ask = async (request: RegistryRequest): Promise<RegistryReceipt> => {
      return (await processes.call(AUTHORITY_NAME, request)) as RegistryReceipt;
    };
    this.processRegistry = new ProcessRegistry({
      slot: this.#registry,
      ender: processes,
      authority: isRoot ? undefined : { ask },
    });
    this.serviceRegistry = new ServiceRegistry(this.#registry, this.processRegistry, {
      telemetry,
      log,
    });
    const { processRegistry } = this;
    const node = ground.nodeId;
    this.#captureService = new CaptureService({ processes, isRoot, node, config, telemetry, log });
    this.capture = this.#captureService.capture;
    const namespace = (name: string): NamespaceServices => this.namespace(name);
    const eventOrigin = this.#eventService.origin;
    const instances = { processes, processRegistry, eventOrigin, namespace };
    this.#instances = new ServiceInstances(instances);
    this.#namespaces = new Namespaces(this.#instances, log);
    this.#names = new ServiceNames(this.#registry, log);
  }

  /**
   * The services of a namespace: those that children `Services.ConfigServer` and the like of any
   * supervisor of this isolate run there. `production` is the node's own.
   */
  namespace(name: string): NamespaceServices {
    if (name !== PRODUCTION) return this.#namespaces.of(name);
    const { config, events, telemetry, infrastructure, errorContexts } = this;
    return { namespace: name, config, events, telemetry, infrastructure, errorContexts };
  }

  /** The supervisor of the services; undefined before the start. */
  get supervisor(): Pid | undefined {
    return this.#supervisor;
  }

  /**
   * Starts them; resolves when all are there.
   *
   * @throws FoundationError what `loadConfig` and `validateConfig` throw
   */
  async start(options: ServiceOptions = {}): Promise<void> {
    const { isRoot } = this.#ground;
    const { log = NO_LOG, registries = {}, testMode = false } = options;
    checkKind("testMode", typeof testMode === "boolean", "true or false");
    this.#log = log;
    const loaded = await loadConfig(isRoot ? options.config : { env: false });
    // Before what has a timer: they may be refused.
    const config = this.#configChildren(options, loaded);
    const { storage } = buildConfig(loaded.initial);
    await this.#eventService.open(options.events ?? {}, storage.warm);
    const events = this.#eventService.children(this.#named("events"));
    const registry = this.#registryChildren(registries);
    const capture = this.#captureChildren(options, loaded);
    this.#supervisor = await this.#ground.supervisors.start({
      label: "Services",
      intensity: INTENSITY,
      children: [
        ...this.#telemetryChildren(options),
        ...config,
        ...events,
        ...registry,
        this.#infrastructureChild(),
        ...capture,
      ],
    });
    // Nobody starts them again where they were given up.
    this.#ground.processes.monitor(this.#supervisor, () => this.#closeSlots());
    this.#captureService.follow();
    settle(this.#supervisor.home, this.#instances);
  }

  /** How they are. */
  health(): ServicesHealth {
    // Where events are not held they are there as long as the way to their holder is.
    const { name, restarts } = this.#eventStore;
    const events = { name, restarts, isUp: this.events.available() };
    return healthOf(this.#slots().map((slot) => (slot === this.#eventStore ? events : slot)));
  }

  /** Ends them in the reverse order of their start; resolves when all have ended. */
  async stop(): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor !== undefined) await this.#ground.supervisors.stop(supervisor);
    await this.#eventService.close();
  }

  /** Lets go of what they hold open; their processes have ended with the node. */
  close(): void {
    this.telemetry.close();
    this.#closeSlots();
    this.#eventService.close().catch((error: unknown) => {
      this.#sink.log("error", "the log of events could not be closed", { error });
    });
    this.#namespaces.close();
    this.#instances.close();
    this.#captureService.close();
  }

  #closeSlots(): void {
    for (const slot of this.#slots()) slot.close();
  }

  // The names of a node are given by the isolate that has started it; others have copies.
  #named(service: NamedService): { started?: (pid: Pid) => void } {
    return this.#ground.isRoot ? { started: (pid) => this.#names.started(service, pid) } : {};
  }

  #captureChildren(options: ServiceOptions, { initial }: LoadedConfig): ChildOptions[] {
    const built = buildConfig(initial);
    const config: CaptureConfigReader = {
      getWithDefault: (path, otherwise) => getNested(built, path, otherwise),
    };
    const sink = capturedEvents(this.events);
    return this.#captureService.children({ options: options.capture, config, sink });
  }

  #slots(): readonly ServiceSlot<ServiceCore>[] {
    const [telemetry, config, events] = [this.#telemetry, this.#config, this.#eventStore];
    const own = [telemetry, config, events, this.#registry, this.#infrastructure];
    return [...own, ...this.#captureService.slots];
  }

  #telemetryChildren({ telemetry = {}, testMode = false }: ServiceOptions): ChildOptions[] {
    const { processes, isRoot } = this.#ground;
    const slot = this.#telemetry;
    const parts = { testMode, runtime: this.#ground };
    // Made here, so that wrong options are the caller's to know, and no crash of a service.
    const first = new TelemetryCore(telemetry, parts);
    const make = (last: TelemetryCore | undefined): TelemetryCore => {
      return last === undefined ? first : new TelemetryCore(telemetry, { ...parts, last });
    };
    const args = [{ slot, processes }];
    const link: ChildOptions = isRoot
      ? {
          id: "telemetryAuthority",
          start: TelemetryAuthority,
          args,
          name: TELEMETRY_AUTHORITY_NAME,
        }
      : { id: "telemetryFollower", start: TelemetryFollower, args };
    return [serviceChild({ slot, processes, make, ...this.#named("telemetry") }), link];
  }

  #infrastructureChild(): ChildOptions {
    const { telemetry, config } = this;
    const { processes } = this.#ground;
    const make = (last: InfrastructureCore | undefined): InfrastructureCore => {
      return new InfrastructureCore({ telemetry, config }, last);
    };
    const named = this.#named("infrastructure");
    return serviceChild({ slot: this.#infrastructure, processes, make, ...named });
  }

  #configChildren(options: ServiceOptions, { initial }: LoadedConfig): ChildOptions[] {
    const { processes, isRoot } = this.#ground;
    const slot = this.#config;
    const { schemas = {}, updatable = [] } = options.config ?? {};
    const { testMode } = options;
    if (!isRoot) {
      // A copy takes what it is told; it was checked where it was changed.
      const make = (receipt: ConfigReceipt): ConfigCore => {
        const core = new ConfigCore({ host: processes, updatable: receipt.updatable });
        core.replace(receipt.config, undefined);
        return core;
      };
      const plan = { slot, processes, make };
      return [{ id: "configFollower", start: ConfigFollower, args: [plan] }];
    }
    const { telemetry } = this;
    const events = this.#eventService;
    const parts = { initial, schemas, updatable, testMode, telemetry, events, host: processes };
    const first = new ConfigCore(parts); // as that of the telemetry
    const make = (last: ConfigCore | undefined): ConfigCore => {
      if (last === undefined) return first;
      const core = new ConfigCore(parts);
      core.adopt(last);
      return core;
    };
    return [
      serviceChild({ slot, processes, make, ...this.#named("config") }),
      {
        id: "configAuthority",
        start: ConfigAuthority,
        args: [slot],
        name: CONFIG_AUTHORITY_NAME,
      },
    ];
  }

  #registryChildren(options: RegistryOptions): ChildOptions[] {
    const { processes, isRoot } = this.#ground;
    const slot = this.#registry;
    const watch: ProcessWatch = {
      isAlive: (pid) => processes.isAlive(pid),
      isLocal: (pid) => processes.isLocal(pid),
      // A copy is told by the authority who has ended.
      monitor: isRoot ? (pid, onDown) => processes.monitor(pid, onDown) : () => () => {},
    };
    const first = new RegistryCore(watch, options); // as that of the telemetry
    const make = (last: RegistryCore | undefined): RegistryCore => {
      if (last === undefined) return first;
      const core = new RegistryCore(watch, options);
      core.adopt(last);
      return core;
    };
    const plan = { slot, processes };
    const link: ChildOptions = isRoot
      ? { id: "registryAuthority", start: RegistryAuthority, args: [plan], name: AUTHORITY_NAME }
      : { id: "registryFollower", start: RegistryFollower, args: [plan] };
    const started = (): void => this.#names.write();
    return [serviceChild({ slot, processes, make, started }), link];
  }
}
