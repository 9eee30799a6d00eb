import type { Pid } from "../../base/pid.ts";
import type { IntensityOptions } from "../restart-intensity.ts";
import type { LightStartable } from "../startable.ts";
import type { BackoffOptions, Strategy } from "../supervisor-types.ts";
import type {
  DispatchRule,
  EcosystemCoordinator,
  EcosystemCoordinatorOptions,
} from "./coordinator-types.ts";
import type { EcosystemDistribution, EcosystemDistributionOptions } from "./distribution-types.ts";
import type { GcStrategy, MemoryStrategy, RecycleOptions, SharingCounts } from "./memory-types.ts";
import type { EcosystemScaling, EcosystemScalingOptions } from "./scaling-types.ts";
import type { Topology } from "./topology.ts";

/** What workers are, and how many. Defaults: {@link ECOSYSTEM_WORKER_DEFAULTS}. */
export interface EcosystemWorkerOptions {
  /** A server class, a handler, a body or a blueprint: light workers. Default: none. */
  readonly start?: LightStartable;
  /** Built JavaScript that exports what a worker is: heavy workers. Default: none. */
  readonly module?: URL | string;
  /** Name that nodes offer a worker by (`processes.offer`): workers elsewhere. Default: none. */
  readonly factory?: string;
  /** Name of the export of `module`. */
  readonly export?: string;
  /** Arguments of a server's `init`, or of the factory. Default: none. */
  readonly args?: readonly unknown[];
  /** Limit of a heavy worker's heap. Unit: MiB. Default: V8's own. */
  readonly heapMiB?: number;
  /** Size of a heavy worker's young generation. Unit: MiB. Default: V8's own. */
  readonly youngMiB?: number;
  /** Memory outside of a heavy worker's heap above which it is ended. Unit: MiB. Default: none. */
  readonly offHeapMiB?: number;
  /** How long a heavy worker may compute without a pause, or is ended. Unit: ms. Default: none. */
  readonly stallMs?: number;
  /**
   * How many: that many, one for each CPU, by the queue delay, or by the queue delay with every
   * change measured and those that made things worse undone. Unit: workers.
   */
  readonly count?: number | "cpuCount" | "autoScale" | "adaptive";
  /** Fewest that `removeWorker` and scaling leave. Unit: workers. */
  readonly min?: number;
  /** Of `gcStrategy: "recycle"`: when a worker is started anew. Default: none; it is needed. */
  readonly recycle?: RecycleOptions;
  /** Of `sharedBinaries`: what bytes on their way to workers may take. Unit: MiB. Default: 64. */
  readonly sharedMiB?: number;
  /** Most that `addWorker` starts; where it scales, one for each CPU. Unit: workers. */
  readonly max?: number;
}

/** What the workers are unless the options say otherwise. */
export const ECOSYSTEM_WORKER_DEFAULTS = Object.freeze({
  export: "default", // as `import` without braces
  count: "cpuCount", // the number that can be at work at the same time
  min: 1, // without any, what was accepted would wait for ever
  max: 1_024, // a mistake in a loop stays below what a node has isolates for
});

/** How workers are kept. */
export interface EcosystemSupervisionOptions {
  /** Who is restarted with a worker that ended. Default: `oneForOne`. */
  readonly strategy?: Strategy;
  /**
   * How often workers may be restarted; beyond it the ecosystem ends. Default: 3 in 5 s; on other
   * nodes as many more as there are workers, since a node takes all it has with it.
   */
  readonly intensity?: IntensityOptions;
  /** How long to wait before a restart. Default: not at all. */
  readonly backoff?: BackoffOptions;
  /**
   * What a worker gets to end after `shutdown` before it is killed; `"kill"`: nothing,
   * `"infinity"`: as long as it needs. Unit: ms. Default: 5,000.
   */
  readonly shutdown?: number | "kill" | "infinity";
}

/** What happens once workers end more often than `supervision.intensity` bears. */
export const FAULT_TOLERANCES = Object.freeze(["standard", "selfHealing"] as const);

/**
 * `standard`: the ecosystem ends. `selfHealing`: it keeps what it has accepted and starts all
 * workers anew after a pause of a second, which doubles with each time up to 30 s.
 */
export type FaultTolerance = (typeof FAULT_TOLERANCES)[number];

/** How an ecosystem is made. */
export interface EcosystemOptions {
  /** What the workers are, and how many. */
  readonly workers: EcosystemWorkerOptions;
  /** Name to register it under. Default: none. */
  readonly name?: string;
  /** How work is handed out. Default: {@link ECOSYSTEM_COORDINATOR_DEFAULTS}. */
  readonly coordinator?: EcosystemCoordinatorOptions;
  /** Where workers live. Default: `isolatedHeaps` with `module`, `sharedHeap` with `start`. */
  readonly memoryStrategy?: MemoryStrategy;
  /** When their memory is collected. Default: `standard`, when V8 wants to. */
  readonly gcStrategy?: GcStrategy;
  /**
   * On which nodes workers live: on this one, on all that offer `workers.factory` as they come and
   * go, or on some of them. Default: `local`.
   */
  readonly distribution?: "local" | "clusterWide" | EcosystemDistributionOptions;
  /** Which workers are told of each other. Default: `star`, none. */
  readonly topology?: Topology;
  /** What happens once workers end too often. Default: `standard`, the ecosystem ends. */
  readonly faultTolerance?: FaultTolerance;
  /** How workers are kept. Default: each is restarted on its own, 3 times in 5 s. */
  readonly supervision?: EcosystemSupervisionOptions;
  /** When `autoScale` acts. Default: {@link ECOSYSTEM_SCALING_DEFAULTS}. */
  readonly scaling?: EcosystemScalingOptions;
}

/** How an ecosystem or a worker is ended. Defaults: {@link ECOSYSTEM_SHUTDOWN_DEFAULTS}. */
export interface EcosystemShutdownOptions {
  /** What it gets to finish its work and to end, before it is killed. Unit: ms. */
  readonly graceMs?: number;
}

/** How an ecosystem is ended unless the options say otherwise. */
export const ECOSYSTEM_SHUTDOWN_DEFAULTS: Required<EcosystemShutdownOptions> = Object.freeze({
  graceMs: 5_000, // as children of a supervisor
});

/** What became of an ecosystem that was shut down. */
export interface EcosystemShutdown {
  /** Whether all work was done. */
  readonly isDrained: boolean;
  /** Pieces of work that were not; their callers got `process_exited`. */
  readonly abandoned: number;
  /** Workers that had to be killed. */
  readonly killed: number;
}

/** A worker at one moment. */
export interface EcosystemWorkerInfo {
  readonly id: string;
  /** Undefined while it is being started again. */
  readonly pid: Pid | undefined;
  /** `draining`: gets no more work and is to be removed; `recycling`: to be started anew. */
  readonly state: "up" | "down" | "draining" | "recycling";
  /** Work under way. Unit: messages. */
  readonly inFlight: number;
  /** Work done. Unit: messages. */
  readonly done: number;
  readonly restarts: number;
  /** Starts anew by `workers.recycle`, which are no restarts. */
  readonly recycles: number;
}

/** Pieces of work since the ecosystem began. */
export interface EcosystemCounts {
  /** Taken from senders. */
  accepted: number;
  /** Done by a worker, answered where somebody asked. */
  completed: number;
  /** Given to another worker because the first one ended. */
  redistributed: number;
  /** Could not be given or answered: their callers got the error. */
  failed: number;
  /** Given up after `attemptsMax` workers had ended with it. */
  givenUp: number;
  /** Not taken because the ecosystem is shutting down. */
  refused: number;
}

/** How long work waited for a worker, of the last 256 pieces that were handed out. */
export interface QueueDelay {
  readonly samples: number;
  /** Unit: ms. */
  readonly meanMs: number;
  /** Unit: ms. */
  readonly maxMs: number;
}

/** What waits for a worker, and since when. */
export interface EcosystemQueue {
  /** Unit: messages. */
  readonly waiting: number;
  /** Unit: messages. */
  readonly waitingMax: number;
  /** For how long the oldest has been waiting; 0 where none is. Unit: ms. */
  readonly oldestMs: number;
  readonly delay: QueueDelay;
}

/** An ecosystem at one moment. */
export interface EcosystemInfo {
  readonly pid: Pid;
  readonly topology: Topology;
  readonly memoryStrategy: MemoryStrategy;
  readonly gcStrategy: GcStrategy;
  /** Of `sharedBinaries`. */
  readonly sharing: SharingCounts | undefined;
  /** The rule, also where it stands in for code of the user's. */
  readonly dispatch: DispatchRule;
  readonly coordinator: EcosystemCoordinator;
  readonly strategy: Strategy;
  readonly faultTolerance: FaultTolerance;
  /** Times that its workers were all started anew after their supervisor had given up. */
  readonly healings: number;
  readonly workersMin: number;
  readonly workersMax: number;
  readonly workers: readonly EcosystemWorkerInfo[];
  readonly queue: EcosystemQueue;
  readonly counts: Readonly<EcosystemCounts>;
  readonly scaling: EcosystemScaling;
  /** Undefined where all workers live in this node. */
  readonly distribution: EcosystemDistribution | undefined;
}

/** How well an ecosystem does, and by which figures. */
export interface EcosystemHealth {
  /**
   * `critical`: no worker is up, or the queue is full. `degraded`: a worker is down, the queue is
   * half full, or work waits longer than `highDelayMs`.
   */
  readonly status: "healthy" | "degraded" | "critical";
  /** What made it so, in words; empty where it is healthy. */
  readonly reasons: readonly string[];
  readonly workersWanted: number;
  readonly workersUp: number;
  readonly restarts: number;
  readonly waiting: number;
  readonly waitingMax: number;
  /** The wait of the oldest, or the mean of the last ones where that is longer. Unit: ms. */
  readonly queueDelayMs: number;
}

/** Starts ecosystems, with the name in front or among the options. */
export interface SpawnEcosystem {
  (name: string, options: EcosystemOptions): Promise<Pid>;
  (options: EcosystemOptions): Promise<Pid>;
}
