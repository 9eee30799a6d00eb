import { packageVersion } from "./base/version.ts";
import { type HeavyPoolPlan, planHeavyPool } from "./beam/heavy-pool.ts";
import { BeamNode, type BeamNodeOptions } from "./beam/nodes.ts";
import { type DiscoveryPlan, planSearch } from "./distributed/discovery/plan.ts";
import { DistributedNode } from "./distributed/distributed.ts";
import { checkTopology, type TopologyOptions } from "./distributed/topology/topology-options.ts";
import { type CompatOptions, withCompat } from "./foundation/compat-start.ts";
import {
  defaultNode,
  leavingDefault,
  offerAsDefault,
  withdrawDefault,
} from "./foundation/default-node.ts";
import { beginSearch } from "./foundation/discovery-search.ts";
import { tellDiscovery } from "./foundation/discovery-telemetry.ts";
import {
  type FoundationHealth,
  type FoundationStatus,
  foundationHealth,
  foundationStatus,
  isFoundationAvailable,
} from "./foundation/health.ts";
import { checkDrain } from "./kernel/node-checks.ts";
import type { LeaveOptions } from "./kernel/node-types.ts";
import {
  type AttachOptions,
  findStarted,
  type OpenedNode,
  startNode,
} from "./kernel/opened-node.ts";
import type { Capture } from "./services/capture/capture.ts";
import type { Config } from "./services/config/config.ts";
import type { ErrorContexts } from "./services/errors/error-contexts.ts";
import type { Events } from "./services/events/events.ts";
import type { Infrastructure } from "./services/infrastructure/infrastructure.ts";
import type { ProcessRegistry } from "./services/registries/process-registry.ts";
import type { ServiceRegistry } from "./services/registries/service-registry.ts";
import { type ServiceOptions, Services } from "./services/services.ts";
import { checkLog } from "./services/sinks.ts";
import type { Telemetry } from "./services/telemetry/telemetry.ts";

/** What every isolate kept ready loads: this package, as its users import it. */
const LIBRARY = new URL("./index.js", import.meta.url).href;

/**
 * A node of the cluster, as one isolate of its process holds it. Every isolate that attached has
 * the same calls with rings of its own.
 */
export class FoundationNode extends BeamNode {
  /** The processes behind the services. */
  readonly services: Services;
  /** The configuration of the node. */
  readonly config: Config;
  /** What happened on the node: stored, found, told of. */
  readonly events: Events;
  /** Counters, gauges, histograms and spans of this isolate. */
  readonly telemetry: Telemetry;
  /** Protection of calls to other services: breakers, limits, pools. */
  readonly infrastructure: Infrastructure;
  /** Names for processes, in namespaces. */
  readonly processRegistry: ProcessRegistry;
  /** The same names, with reports, health checks and waiting. */
  readonly serviceRegistry: ServiceRegistry;
  /** Takes down what happens, from any isolate, through rings of the core. */
  readonly capture: Capture;
  /** What operations know of themselves. */
  readonly errorContexts: ErrorContexts;
  /** What the node is part of: its overlays. */
  readonly distributed: DistributedNode;
  #left: Promise<void> | undefined;

  /** Attaches the calling isolate; use `Foundation.start` or `Foundation.attach`. */
  constructor(opened: OpenedNode, heavyPool?: HeavyPoolPlan, topology?: TopologyOptions) {
    super(opened, heavyPool);
    const { processes, supervisors } = this.beam;
    this.distributed = new DistributedNode(this, processes, topology);
    const isRoot = opened.isStarter;
    this.services = new Services({
      processes,
      supervisors,
      node: this,
      nodeId: opened.node.node,
      isRoot,
    });
    this.config = this.services.config;
    this.events = this.services.events;
    this.telemetry = this.services.telemetry;
    this.infrastructure = this.services.infrastructure;
    this.processRegistry = this.services.processRegistry;
    this.serviceRegistry = this.services.serviceRegistry;
    this.errorContexts = this.services.errorContexts;
    this.capture = this.services.capture;
    tellDiscovery(this.distributed.discovery, this.telemetry);
    this.onClosed(() => {
      this.distributed.close();
      this.services.close();
    });
  }

  /**
   * Ends the services in the reverse order of their start, so that each writes what it holds, and
   * leaves the cluster. It is the default node no longer. Calling it again gives the same promise.
   *
   * @throws FoundationError `invalid_options`: the node goes on; `timeout` where the kernel thread
   *   does not finish; what the durable log of events fails with as it closes: the node has left
   *   all the same
   */
  override async leave(options: LeaveOptions = {}): Promise<void> {
    checkDrain(options); // while all of it still runs
    this.#left ??= this.#leave(options);
    return this.#left;
  }

  async #leave(options: LeaveOptions): Promise<void> {
    withdrawDefault(this);
    try {
      await this.distributed.discovery.stop();
      await this.services.stop();
    } finally {
      await super.leave(options);
    }
  }
}

async function started(
  opened: OpenedNode,
  options?: ServiceOptions,
  heavyPool?: HeavyPoolPlan,
  topology?: TopologyOptions,
): Promise<FoundationNode> {
  const node = new FoundationNode(opened, heavyPool, topology);
  try {
    await node.services.start(options);
  } catch (thrown) {
    // What is wrong with the start is to be known, not what the end then fails with.
    if (opened.isStarter) await node.leave().catch(() => {});
    else node.detach();
    throw thrown;
  }
  offerAsDefault(node);
  return node;
}

/** The default node while it is being started. */
let starting: Promise<FoundationNode> | undefined;

/** Starts the default node; where another one came first, it is that. */
async function startedDefault(options: FoundationStartOptions): Promise<FoundationNode> {
  const node = await Foundation.start(options);
  const first = defaultNode() ?? node;
  if (first !== node) await node.leave();
  return first;
}

/**
 * How a node is started: its place in the cluster, its services, what it keeps ready, and how its
 * overlays are looked after.
 */
export interface FoundationStartOptions extends BeamNodeOptions, ServiceOptions, CompatOptions {
  /** When overlays are switched, what is remembered of it. Unit: options. Default: no policy. */
  readonly topology?: TopologyOptions;
  /**
   * How other nodes are found: providers, or how they are used, or `auto` for what this process and
   * its environment suggest. Each is a hint beside `seeds`. Unit: options. Default: none, only
   * seeds are dialled.
   */
  readonly discovery?: DiscoveryPlan;
}

/** Where nodes come from. */
export const Foundation = Object.freeze({
  /**
   * Starts a node on the main thread: it listens, dials its seeds and keeps its place in the
   * cluster on a thread of its own, whatever this event loop does.
   *
   * @throws FoundationError `invalid_options`, `insecure_bind`, `insecure_dial`,
   *   `listen_failed`, `not_root_isolate`, `arena_exhausted`, `io_unavailable`, and what is wrong
   *   with the configuration
   */
  async start(given: FoundationStartOptions = {}): Promise<FoundationNode> {
    checkLog(given.log);
    const { options, follow } = await withCompat(given);
    const { config, events, telemetry, registries, capture, log, testMode, ...rest } = options;
    const { heavyPool, topology, discovery, ...place } = rest;
    const plan = planHeavyPool(heavyPool, LIBRARY);
    checkTopology(topology);
    const search = discovery === undefined ? undefined : planSearch(discovery, place);
    const services = { config, events, telemetry, registries, capture, log, testMode };
    const node = await started(await startNode(place), services, plan, topology);
    follow(node);
    if (search !== undefined) await beginSearch(node, search);
    return node;
  },

  /**
   * Joins this isolate, a worker or the main thread, to a node that the main thread of the process
   * started.
   *
   * @throws FoundationError `unknown_node` where no such node appears in time
   */
  async attach(options: AttachOptions = {}): Promise<FoundationNode> {
    return started(await findStarted(options));
  },

  /**
   * The default node, that of the module style: the first that this isolate started or attached to
   * and that is not leaving; where there is none, one is started. Calling it again gives the same
   * node, whatever the options then say.
   *
   * @throws FoundationError as `start`
   */
  async initialize(options: FoundationStartOptions = {}): Promise<FoundationNode> {
    const present = defaultNode();
    if (present !== undefined) return present;
    starting ??= startedDefault(options).finally(() => {
      starting = undefined;
    });
    return starting;
  },

  /** The default node; undefined where this isolate has none. */
  node(): FoundationNode | undefined {
    return defaultNode();
  },

  /**
   * Figures of the services of the default node.
   *
   * @throws FoundationError `service_unavailable` of the first service that is not running
   */
  status(): FoundationStatus {
    return foundationStatus();
  },

  /** Whether there is a default node with all services of `status` running. */
  available(): boolean {
    return isFoundationAvailable();
  },

  /** How the services of the default node are, and what runs them. Never throws. */
  health(): FoundationHealth {
    return foundationHealth();
  },

  /** The version of this package. */
  version(): string {
    return packageVersion();
  },

  /**
   * Has the default node leave: its services end in the reverse order of their start, each writes
   * what it holds, and what is queued for other nodes is sent within `drainMs`. Resolves at once
   * where there is no default node; where it is leaving already, when it has left.
   *
   * @throws FoundationError as `FoundationNode.leave`
   */
  async shutdown(options: LeaveOptions = {}): Promise<void> {
    await starting?.catch(() => {});
    await (defaultNode() ?? leavingDefault())?.leave(options);
  },
});
