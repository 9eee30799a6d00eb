import { availableParallelism } from "node:os";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkWord } from "../../base/option-checks.ts";
import { INTENSITY_DEFAULTS } from "../restart-intensity.ts";
import { supervisor } from "../supervisor.ts";
import { COORDINATOR_KEYS, type CoordinatorPlan, coordinatorPlan } from "./coordinator-plan.ts";
import { type DistributionPlan, distributionPlan } from "./distribution-plan.ts";
import {
  ECOSYSTEM_WORKER_DEFAULTS,
  type EcosystemOptions,
  type EcosystemSupervisionOptions,
  type EcosystemWorkerOptions,
  FAULT_TOLERANCES,
  type FaultTolerance,
} from "./ecosystem-types.ts";
import { type MemoryPlan, memoryPlan } from "./memory-plan.ts";
import {
  ECOSYSTEM_SCALING_DEFAULTS,
  type EcosystemScaling,
  type EcosystemScalingOptions,
} from "./scaling-types.ts";
import { TOPOLOGIES, type Topology } from "./topology.ts";
import { HEAVY_KEYS, workerStart } from "./worker-plan.ts";
import type { WorkerStart } from "./worker-start.ts";

/** What an ecosystem is made from: its options, checked and with defaults. */
export interface EcosystemPlan {
  readonly name: string | undefined;
  /** Undefined where other nodes say what a worker is. */
  readonly here: WorkerStart | undefined;
  readonly distribution: DistributionPlan | undefined;
  readonly memory: MemoryPlan;
  readonly topology: Topology;
  readonly coordinator: CoordinatorPlan;
  readonly supervision: EcosystemSupervisionOptions;
  readonly faultTolerance: FaultTolerance;
  readonly scaling: Required<EcosystemScalingOptions>;
  readonly mode: EcosystemScaling["mode"];
  readonly first: number;
  readonly min: number;
  readonly max: number;
}

/** Options, by where they stand. */
const KEYS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  ecosystem: [
    "workers",
    "name",
    "coordinator",
    "memoryStrategy",
    "gcStrategy",
    "topology",
    "supervision",
    "scaling",
    "faultTolerance",
    "distribution",
  ],
  workers: [
    "start",
    "module",
    "factory",
    "args",
    "count",
    "min",
    "max",
    "recycle",
    "sharedMiB",
    ...HEAVY_KEYS,
  ],
  recycle: ["afterPieces", "aboveMiB"],
  coordinator: COORDINATOR_KEYS,
  supervision: ["strategy", "intensity", "backoff", "shutdown"],
  scaling: Object.keys(ECOSYSTEM_SCALING_DEFAULTS),
  distribution: ["nodes", "placement", "waitMs"],
});

/** Why there is no such option. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  intelligence: "work goes to the least loaded worker or round robin, nothing is learned",
});

/**
 * Checks the options of an ecosystem.
 *
 * @throws FoundationError `invalid_options` with the reason
 */
export function ecosystemPlan(options: EcosystemOptions): EcosystemPlan {
  checkKeys("ecosystem", options);
  const { workers, topology = "star", supervision = {}, faultTolerance = "standard" } = options;
  const { distribution = "local", coordinator = {} } = options;
  checkKeys("workers", workers);
  checkKeys("supervision", supervision);
  checkKeys("coordinator", coordinator);
  if (typeof distribution === "object") checkKeys("distribution", distribution);
  checkSupervision(supervision);
  checkWord("topology", topology, TOPOLOGIES);
  checkWord("faultTolerance", faultTolerance, FAULT_TOLERANCES);
  if (workers.recycle !== undefined) checkKeys("recycle", workers.recycle);
  const memory = memoryPlan(options);
  const here = workerStart(workers, memory.youngMiB);
  const mode = modeOf(workers.count);
  const counts = countsOf(workers, mode);
  const isIsolated = memory.memoryStrategy === "isolatedHeaps";
  const elsewhere = distributionPlan(distribution, workers, isIsolated);
  return Object.freeze({
    name: options.name,
    here,
    distribution: elsewhere,
    memory,
    topology,
    supervision: elsewhere === undefined ? supervision : patient(supervision, mode, counts),
    coordinator: coordinatorPlan(coordinator),
    faultTolerance,
    scaling: scalingOf(options.scaling, mode),
    mode,
    ...counts,
  });
}

/** A node that dies takes all its workers with it, which is one failure and not many. */
function patient(
  supervision: EcosystemSupervisionOptions,
  mode: EcosystemPlan["mode"],
  { first, max }: Pick<EcosystemPlan, "first" | "max">,
): EcosystemSupervisionOptions {
  const restartsMax = INTENSITY_DEFAULTS.restartsMax + (mode === "fixed" ? first : max);
  return { ...supervision, intensity: { restartsMax, ...supervision.intensity } };
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
