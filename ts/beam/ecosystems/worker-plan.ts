import { FoundationError } from "../../base/errors.ts";
import { heavy } from "../heavy.ts";
import { isStartable } from "../startable.ts";
import { ECOSYSTEM_WORKER_DEFAULTS, type EcosystemWorkerOptions } from "./ecosystem-types.ts";
import { heavyWorker, lightWorker, type WorkerStart } from "./worker-start.ts";

/** Options of workers with a module. */
export const HEAVY_KEYS = ["export", "heapMiB", "youngMiB", "offHeapMiB", "stallMs"] as const;

/**
 * What workers of this node are started from; undefined where others offer it.
 *
 * @throws FoundationError `invalid_options`
 */
export function workerStart(
  workers: EcosystemWorkerOptions,
  youngMiB: number | undefined,
): WorkerStart | undefined {
  const { start, module, factory, args = [] } = workers;
  const given = [start, module, factory].filter((way) => way !== undefined);
  if (given.length > 1) refuse("`workers` has one of `start`, `module` and `factory`");
  if (module !== undefined) {
    const { heapMiB, offHeapMiB, stallMs } = workers;
    const made = heavy({
      module,
      export: workers.export ?? ECOSYSTEM_WORKER_DEFAULTS.export,
      ...(heapMiB !== undefined && { heapMiB }),
      ...(youngMiB !== undefined && { youngMiB }),
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

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
