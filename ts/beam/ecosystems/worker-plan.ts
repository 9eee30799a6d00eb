import { FoundationError } from "../../base/errors.ts";
import { heavy } from "../heavy.ts";
import { isStartable } from "../startable.ts";
import {
  ECOSYSTEM_WORKER_DEFAULTS,
  type EcosystemWorkerOptions,
  type MemoryStrategy,
} from "./ecosystem-types.ts";
import { heavyWorker, lightWorker, type WorkerStart } from "./worker-start.ts";

/** Options of workers with a module. */
export const HEAVY_KEYS = ["export", "heapMiB", "offHeapMiB", "stallMs"] as const;

/**
 * What workers of this node are started from; undefined where others offer it.
 *
 * @throws FoundationError `invalid_options`
 */
export function workerStart(workers: EcosystemWorkerOptions): WorkerStart | undefined {
  const { start, module, factory, args = [] } = workers;
  const given = [start, module, factory].filter((way) => way !== undefined);
  if (given.length > 1) refuse("`workers` has one of `start`, `module` and `factory`");
  if (module !== undefined) {
    const { heapMiB, offHeapMiB, stallMs } = workers;
    const made = heavy({
      module,
      export: workers.export ?? ECOSYSTEM_WORKER_DEFAULTS.export,
      ...(heapMiB !== undefined && { heapMiB }),
      ...(offHeapMiB !== undefined && { offHeapMiB }),
      ...(stallMs !== undefined && { stallMs }),
    });
    return heavyWorker(made, args);
  }
  const heavyKey = HEAVY_KEYS.find((key) => workers[key] !== undefined);
  if (heavyKey !== undefined) refuse(`\`${heavyKey}\` is of workers with a \`module\``);
  if (factory !== undefined) return undefined;
  if (!isStartable(start)) refuse("`workers` needs `start`, `module` or `factory`");
  return { start: lightWorker(start), args };
}

/**
 * Which heaps workers have.
 *
 * @throws FoundationError `invalid_options` where what they are made of says otherwise
 */
export function memoryOf(
  wanted: MemoryStrategy | undefined,
  { module, factory }: EcosystemWorkerOptions,
): MemoryStrategy {
  const isKnown = wanted === undefined || wanted === "isolatedHeaps" || wanted === "sharedHeap";
  if (!isKnown) {
    return refuse(
      `memoryStrategy must be "isolatedHeaps" or "sharedHeap", not '${String(wanted)}': ` +
        "V8 has no other kinds of heaps",
    );
  }
  // What a factory makes is its node's to know; only isolates of their own can be demanded.
  if (factory !== undefined) return wanted ?? "sharedHeap";
  const memory = module === undefined ? "sharedHeap" : "isolatedHeaps";
  if (wanted === undefined || wanted === memory) return memory;
  if (wanted === "isolatedHeaps") {
    refuse("`isolatedHeaps` needs `workers.module`: code does not travel into another isolate");
  }
  return refuse("`sharedHeap` needs `workers.start`: a module is loaded into its own isolate");
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
