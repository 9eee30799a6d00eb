import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkWord } from "../../base/option-checks.ts";
import type { EcosystemOptions } from "./ecosystem-types.ts";
import {
  GC_STRATEGIES,
  type GcStrategy,
  MEMORY_STRATEGIES,
  type RecycleOptions,
} from "./memory-types.ts";

/** What workers' memory is like, checked. */
export interface MemoryPlan {
  readonly memoryStrategy: "sharedHeap" | "isolatedHeaps" | "sharedBinaries";
  readonly gcStrategy: GcStrategy;
  /** Unit: MiB. */
  readonly youngMiB: number | undefined;
  readonly recycle: RecycleOptions | undefined;
  /** What bytes on their way to workers may take. Unit: MiB. */
  readonly sharedMiB: number;
}

const SHARED_MIB_DEFAULT = 64;

/** Young generations: a third of it is what is filled between two collections. Unit: MiB. */
const YOUNG_MIB = Object.freeze({ frequentMinor: 3, rareMinor: 192 });

const IMPLIED: Readonly<Partial<Record<string, GcStrategy>>> = Object.freeze({
  frequentGc: "frequentMinor",
  lowLatency: "rareMinor",
});

/**
 * Checks `memoryStrategy`, `gcStrategy` and what belongs to them.
 *
 * @throws FoundationError `invalid_options` with the reason
 */
export function memoryPlan(options: EcosystemOptions): MemoryPlan {
  const { memoryStrategy = "default", workers } = options;
  checkWord("memoryStrategy", memoryStrategy, MEMORY_STRATEGIES);
  const gcStrategy = gcOf(options);
  checkWord("gcStrategy", gcStrategy, GC_STRATEGIES);
  const heaps = heapsOf(options);
  const isOwn = heaps !== "sharedHeap";
  if (gcStrategy === "betweenWork") checkBetweenWork(options);
  if (workers.sharedMiB !== undefined && heaps !== "sharedBinaries") {
    refuse("`workers.sharedMiB` is of `memoryStrategy: 'sharedBinaries'`");
  }
  return Object.freeze({
    memoryStrategy: heaps,
    gcStrategy,
    youngMiB: youngOf(options, gcStrategy),
    recycle: recycleOf(workers.recycle, gcStrategy, isOwn),
    sharedMiB: checkCount("workers.sharedMiB", workers.sharedMiB ?? SHARED_MIB_DEFAULT),
  });
}

function gcOf({ memoryStrategy = "default", gcStrategy }: EcosystemOptions): GcStrategy {
  const implied = IMPLIED[memoryStrategy];
  if (implied !== undefined && gcStrategy !== undefined && gcStrategy !== implied) {
    refuse(`memoryStrategy '${memoryStrategy}' is gcStrategy '${implied}', not '${gcStrategy}'`);
  }
  return gcStrategy ?? implied ?? "standard";
}

function heapsOf({
  memoryStrategy = "default",
  workers: { module, factory },
}: EcosystemOptions): MemoryPlan["memoryStrategy"] {
  switch (memoryStrategy) {
    case "default":
      return module === undefined ? "sharedHeap" : "isolatedHeaps";
    case "sharedHeap":
      if (module === undefined) return "sharedHeap";
      return refuse("`sharedHeap` needs `workers.start`: a module is loaded into its own isolate");
    case "isolatedHeaps":
      // What a factory makes is its node's to know; that it is heavy can be demanded.
      if (module !== undefined || factory !== undefined) return "isolatedHeaps";
      return refuse("`isolatedHeaps` needs `workers.module`: code does not travel to an isolate");
    case "sharedBinaries":
      if (module !== undefined) return "sharedBinaries";
      return refuse(
        "`sharedBinaries` needs `workers.module`: light workers share the heap, and other nodes " +
          "share no memory",
      );
    default:
      if (module !== undefined) return "isolatedHeaps";
      return refuse(`\`${memoryStrategy}\` needs \`workers.module\`: V8 has it by isolate`);
  }
}

function youngOf({ workers }: EcosystemOptions, gcStrategy: GcStrategy): number | undefined {
  const isOurs = gcStrategy === "frequentMinor" || gcStrategy === "rareMinor";
  if (!isOurs) return workers.youngMiB;
  if (workers.youngMiB !== undefined) {
    refuse(`gcStrategy '${gcStrategy}' has a size of its own: leave \`workers.youngMiB\` out`);
  }
  if (workers.module === undefined) {
    refuse(`gcStrategy '${gcStrategy}' needs \`workers.module\`: V8 has it by isolate`);
  }
  return YOUNG_MIB[gcStrategy];
}

function checkBetweenWork({ workers }: EcosystemOptions): void {
  if (workers.module === undefined) {
    refuse("`betweenWork` needs `workers.module`: in a shared heap it would halt everybody");
  }
  if (typeof Reflect.get(globalThis, "gc") !== "function") {
    refuse("`betweenWork` needs node to be started with --expose-gc: V8 collects for nobody else");
  }
}

function recycleOf(
  recycle: RecycleOptions | undefined,
  gcStrategy: GcStrategy,
  isOwn: boolean,
): RecycleOptions | undefined {
  if (gcStrategy !== "recycle") {
    if (recycle !== undefined) refuse("`workers.recycle` is of `gcStrategy: 'recycle'`");
    return undefined;
  }
  const { afterPieces, aboveMiB } = recycle ?? {};
  if (afterPieces === undefined && aboveMiB === undefined) {
    refuse("gcStrategy 'recycle' needs `workers.recycle` with `afterPieces` or `aboveMiB`");
  }
  if (afterPieces !== undefined) checkCount("workers.recycle.afterPieces", afterPieces);
  if (aboveMiB !== undefined && !(aboveMiB > 0)) {
    refuse("workers.recycle.aboveMiB must be above 0");
  }
  if (aboveMiB !== undefined && !isOwn) {
    refuse("`recycle.aboveMiB` needs isolates of their own: a shared heap is nobody's");
  }
  return recycle;
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
