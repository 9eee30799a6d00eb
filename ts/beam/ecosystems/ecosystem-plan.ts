import { availableParallelism } from "node:os";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkWord } from "../../base/option-checks.ts";
import { type HeavyBlueprint, heavy } from "../heavy.ts";
import type { ProcessBody } from "../process-types.ts";
import { type Blueprint, bodyOf, isStartable, type LightStartable } from "../startable.ts";
import { supervisor } from "../supervisor.ts";
import {
  type DispatchRule,
  ECOSYSTEM_COORDINATOR_DEFAULTS,
  ECOSYSTEM_WORKER_DEFAULTS,
  type EcosystemCoordinatorOptions,
  type EcosystemOptions,
  type EcosystemSupervisionOptions,
  type EcosystemWorkerOptions,
  FAULT_TOLERANCES,
  type FaultTolerance,
  type MemoryStrategy,
} from "./ecosystem-types.ts";
import {
  ECOSYSTEM_SCALING_DEFAULTS,
  type EcosystemScaling,
  type EcosystemScalingOptions,
} from "./scaling-types.ts";
import { TOPOLOGIES, type Topology } from "./topology.ts";
import { WorkerBody } from "./worker-body.ts";

/** What an ecosystem is made from: its options, checked and with defaults. */
export interface EcosystemPlan {
  readonly name: string | undefined;
  readonly start: Blueprint | HeavyBlueprint;
  readonly args: readonly unknown[];
  readonly memoryStrategy: MemoryStrategy;
  readonly topology: Topology;
  readonly coordinator: Required<EcosystemCoordinatorOptions>;
  readonly supervision: EcosystemSupervisionOptions;
  readonly faultTolerance: FaultTolerance;
  readonly scaling: Required<EcosystemScalingOptions>;
  readonly mode: EcosystemScaling["mode"];
  readonly first: number;
  readonly min: number;
  readonly max: number;
}

const ENTRY = new URL("./worker-entry.js", import.meta.url);
const DISPATCH_RULES: readonly DispatchRule[] = ["leastLoaded", "roundRobin"];

/** Options of workers with a module. */
const HEAVY_KEYS = ["export", "heapMiB", "offHeapMiB", "stallMs"] as const;

/** Options, by where they stand. */
const KEYS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  ecosystem: [
    "workers",
    "name",
    "coordinator",
    "memoryStrategy",
    "topology",
    "supervision",
    "scaling",
    "faultTolerance",
  ],
  workers: ["start", "module", "args", "count", "min", "max", ...HEAVY_KEYS],
  coordinator: Object.keys(ECOSYSTEM_COORDINATOR_DEFAULTS),
  supervision: ["strategy", "intensity", "backoff", "shutdown"],
  scaling: Object.keys(ECOSYSTEM_SCALING_DEFAULTS),
});

/** Why there is no such option. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  intelligence: "work goes to the least loaded worker or round robin, nothing is learned",
  gcStrategy: "V8 decides when an isolate collects; `heapMiB` limits a heavy worker's heap",
  distribution: "workers live in the node of their ecosystem",
});

/**
 * Checks the options of an ecosystem.
 *
 * @throws FoundationError `invalid_options` with the reason
 */
export function ecosystemPlan(options: EcosystemOptions): EcosystemPlan {
  checkKeys("ecosystem", options);
  const { workers, topology = "star", supervision = {}, faultTolerance = "standard" } = options;
  checkKeys("workers", workers);
  checkKeys("supervision", supervision);
  checkSupervision(supervision);
  checkWord("topology", topology, TOPOLOGIES);
  checkWord("faultTolerance", faultTolerance, FAULT_TOLERANCES);
  const mode = modeOf(workers.count);
  const isHeavy = workers.module !== undefined;
  return Object.freeze({
    name: options.name,
    start: isHeavy ? heavyWorker(workers) : lightWorker(workers),
    args: isHeavy ? heavyArgs(workers) : (workers.args ?? []),
    memoryStrategy: memoryOf(options.memoryStrategy, isHeavy),
    topology,
    supervision,
    coordinator: coordinatorOf(options.coordinator),
    faultTolerance,
    scaling: scalingOf(options.scaling, mode),
    mode,
    ...countsOf(workers, mode),
  });
}

function checkKeys(where: string, options: object | undefined): void {
  if (typeof options !== "object" || options === null) refuse(`\`${where}\` must be an object`);
  const unknown = Object.keys(options).find((key) => KEYS[where]?.includes(key) !== true);
  if (unknown === undefined) return;
  const reason = REASONS[unknown];
  const because = reason === undefined ? "" : `: ${reason}`;
  refuse(`${where}: there is no option '${unknown}'${because}`);
}

/** A supervisor of one such worker checks the rest. */
function checkSupervision({ shutdown, ...rules }: EcosystemSupervisionOptions): void {
  const rule = shutdown === undefined ? {} : { shutdown };
  const startWith = (): never => refuse("nobody starts it");
  supervisor({ ...rules, children: [{ id: "worker", startWith, ...rule }] });
}

function memoryOf(wanted: MemoryStrategy | undefined, isHeavy: boolean): MemoryStrategy {
  const memory = isHeavy ? "isolatedHeaps" : "sharedHeap";
  if (wanted === undefined || wanted === memory) return memory;
  if (wanted === "isolatedHeaps") {
    refuse("`isolatedHeaps` needs `workers.module`: code does not travel into another isolate");
  }
  if (wanted === "sharedHeap") {
    refuse("`sharedHeap` needs `workers.start`: a module is loaded into an isolate of its own");
  }
  return refuse(
    `memoryStrategy must be "isolatedHeaps" or "sharedHeap", not '${String(wanted)}': ` +
      "V8 has no other kinds of heaps",
  );
}

function heavyWorker(workers: EcosystemWorkerOptions): HeavyBlueprint {
  const { module, start, heapMiB, offHeapMiB, stallMs } = workers;
  if (start !== undefined) refuse("`workers` has either `start` or `module`");
  heavy({ module: module as URL | string });
  return heavy({
    module: ENTRY,
    export: "worker",
    ...(heapMiB !== undefined && { heapMiB }),
    ...(offHeapMiB !== undefined && { offHeapMiB }),
    ...(stallMs !== undefined && { stallMs }),
  });
}

function heavyArgs({ module, args = [], ...workers }: EcosystemWorkerOptions): unknown[] {
  const name = workers.export ?? ECOSYSTEM_WORKER_DEFAULTS.export;
  return [module instanceof URL ? module.href : module, name, args];
}

function lightWorker({ start, ...workers }: EcosystemWorkerOptions): Blueprint {
  if (!isStartable(start)) refuse("`workers` needs `start` or `module`");
  const heavyKey = HEAVY_KEYS.find((key) => workers[key] !== undefined);
  if (heavyKey !== undefined) refuse(`\`${heavyKey}\` is of workers with a \`module\``);
  const light: LightStartable = start;
  const label = (typeof light === "function" && light.name) || "EcosystemWorker";
  return Object.freeze({
    label,
    isSupervisor: false,
    make: (args, parent) => {
      const body = new WorkerBody(() => bodyOf(light, args, parent).body as ProcessBody<unknown>);
      return body as ProcessBody<never>;
    },
  } satisfies Blueprint);
}

function coordinatorOf(
  options: EcosystemCoordinatorOptions = {},
): Required<EcosystemCoordinatorOptions> {
  checkKeys("coordinator", options);
  const coordinator = { ...ECOSYSTEM_COORDINATOR_DEFAULTS, ...options };
  checkWord("coordinator.dispatch", coordinator.dispatch, DISPATCH_RULES);
  checkCount("coordinator.queueMax", coordinator.queueMax);
  checkCount("coordinator.inFlightMax", coordinator.inFlightMax);
  checkCount("coordinator.attemptsMax", coordinator.attemptsMax);
  return coordinator;
}

const ADAPTIVE_KEYS = ["settleLooks", "evidenceLooks", "toleranceRatio", "rememberMs"] as const;

function modeOf(count: EcosystemWorkerOptions["count"]): EcosystemPlan["mode"] {
  return count === "autoScale" || count === "adaptive" ? count : "fixed";
}

function scalingOf(
  options: EcosystemScalingOptions = {},
  mode: EcosystemPlan["mode"],
): Required<EcosystemScalingOptions> {
  checkKeys("scaling", options);
  if (mode === "fixed" && Object.keys(options).length > 0) {
    refuse("`scaling` is of `count: 'autoScale'` and `'adaptive'`");
  }
  const ofAdaptive = ADAPTIVE_KEYS.find((key) => options[key] !== undefined);
  if (mode === "autoScale" && ofAdaptive !== undefined) {
    refuse(`\`scaling.${ofAdaptive}\` is of \`count: 'adaptive'\``);
  }
  const scaling = { ...ECOSYSTEM_SCALING_DEFAULTS, ...options };
  const { lookEveryMs, highDelayMs, lowDelayMs, toleranceRatio, rememberMs } = scaling;
  if (!(lookEveryMs >= 1)) refuse("scaling.lookEveryMs must be at least 1");
  if (!(lowDelayMs >= 0) || !(highDelayMs > lowDelayMs)) {
    refuse("scaling needs 0 <= lowDelayMs < highDelayMs");
  }
  if (!(toleranceRatio >= 0) || !(toleranceRatio < 1)) {
    refuse("scaling needs 0 <= toleranceRatio < 1");
  }
  if (!(rememberMs >= 0)) refuse("scaling.rememberMs must be at least 0");
  checkCount("scaling.upAfterLooks", scaling.upAfterLooks);
  checkCount("scaling.downAfterLooks", scaling.downAfterLooks);
  checkCount("scaling.settleLooks", scaling.settleLooks, 0);
  checkCount("scaling.evidenceLooks", scaling.evidenceLooks);
  return scaling;
}

function countsOf(
  options: EcosystemWorkerOptions,
  mode: EcosystemPlan["mode"],
): Pick<EcosystemPlan, "first" | "min" | "max"> {
  const { count = ECOSYSTEM_WORKER_DEFAULTS.count } = options;
  const isFixed = mode === "fixed";
  const { min = ECOSYSTEM_WORKER_DEFAULTS.min } = options;
  const cpus = availableParallelism();
  const max = options.max ?? (isFixed ? ECOSYSTEM_WORKER_DEFAULTS.max : Math.max(min, cpus));
  const first = isFixed ? (count === "cpuCount" ? cpus : count) : min;
  checkCount("workers.count", first as number);
  checkCount("workers.min", min);
  checkCount("workers.max", max);
  if (!((first as number) >= min && (first as number) <= max)) {
    refuse(`workers needs min <= count <= max, not ${min}, ${first} and ${max}`);
  }
  return { first: first as number, min, max };
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
