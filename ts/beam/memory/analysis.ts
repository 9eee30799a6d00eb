import { totalmem } from "node:os";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkKeys } from "../../base/option-checks.ts";
import type { InterruptOptions, IsolateHeap, NodeIsolate } from "../../kernel/interrupts.ts";
import type { NodeMetrics } from "../../kernel/node-types.ts";
import {
  ANALYSIS_DEFAULTS,
  type AnalysisOptions,
  type HeapFigures,
  type HeapSpace,
  type IsolateMemory,
  type MemoryAnalysis,
  type SharedMemory,
} from "./analysis-types.ts";
import { cgroupMemory } from "./cgroup.ts";
import { recommend } from "./recommendations.ts";

/** What of a node the analysis asks. */
export interface AnalysedNode {
  isolates(): readonly NodeIsolate[];
  heapOf(slot: number, options?: InterruptOptions): Promise<IsolateHeap>;
  metrics(): NodeMetrics;
}

/** What the isolate keeps count of itself. */
export type OwnFigures = Pick<MemoryAnalysis, "atoms" | "pools">;

/** Takes the figures of this isolate, its node and its process, and what they speak for. */
export async function analyze(
  node: AnalysedNode,
  { atoms, pools }: OwnFigures,
  options: AnalysisOptions = {},
): Promise<MemoryAnalysis> {
  checkKeys("the options of analyzeMemory", options, Object.keys(ANALYSIS_DEFAULTS));
  const { timeoutMs } = { ...ANALYSIS_DEFAULTS, ...options };
  checkCount("timeoutMs", timeoutMs);
  const isolates = await isolatesOf(node, timeoutMs);
  const heap = heapFigures();
  const { external, arrayBuffers, rss } = process.memoryUsage();
  const machineBytes = totalmem();
  const cgroup = cgroupMemory();
  const limitBytes = cgroup?.limitBytes;
  const figures = {
    heap,
    spaces: heapSpaces(),
    externalBytes: external,
    arrayBufferBytes: arrayBuffers,
    residentBytes: rss,
    machineBytes,
    isolates,
    shared: sharedMemory(node.metrics()),
    cgroup,
    atoms,
    pools,
    shares: {
      heapPercent: percent(heap.usedBytes, heap.limitBytes),
      machinePercent: percent(rss, machineBytes),
      cgroupPercent: limitBytes === undefined ? undefined : percent(cgroup?.usedBytes, limitBytes),
      atomsPercent: percent(atoms.atoms, atoms.atomsMax),
    },
  };
  return { ...figures, recommendations: recommend(figures) };
}

function percent(part = 0, whole: number): number {
  return whole === 0 ? 100 : (100 * part) / whole;
}

function heapFigures(): HeapFigures {
  const found = getHeapStatistics();
  return {
    usedBytes: found.used_heap_size,
    totalBytes: found.total_heap_size,
    limitBytes: found.heap_size_limit,
    availableBytes: found.total_available_size,
    mallocedBytes: found.malloced_memory,
    peakMallocedBytes: found.peak_malloced_memory,
    detachedContexts: found.number_of_detached_contexts,
  };
}

function heapSpaces(): HeapSpace[] {
  return getHeapSpaceStatistics().map((space) => ({
    name: space.space_name,
    sizeBytes: space.space_size,
    usedBytes: space.space_used_size,
    availableBytes: space.space_available_size,
  }));
}

function sharedMemory({ boundary, slabs, reserveFreeBytes }: NodeMetrics): SharedMemory {
  return {
    arenaBytes: boundary["arenaBytes"] ?? 0,
    arenaResidentBytes: boundary["arenaResidentBytes"] ?? 0,
    slabsLive: slabs["live"] ?? 0,
    slabBytes: slabs["liveBytes"] ?? 0,
    refused: slabs["refused"] ?? 0,
    reserveFreeBytes,
  };
}

/** All isolates are asked at once: together they take as long as the slowest one. */
async function isolatesOf(node: AnalysedNode, timeoutMs: number): Promise<IsolateMemory[]> {
  return Promise.all(
    node.isolates().map(async (isolate) => {
      try {
        const heap = await node.heapOf(isolate.slot, { timeoutMs });
        return { ...isolate, heap, code: undefined };
      } catch (thrown) {
        if (!(thrown instanceof FoundationError)) throw thrown;
        return { ...isolate, heap: undefined, code: thrown.code };
      }
    }),
  );
}
