import type { IsolateHeap } from "../../kernel/interrupts.ts";
import type { AtomCounts } from "./atoms.ts";
import type { CgroupMemory } from "./cgroup.ts";
import type { Recommendation } from "./recommendations.ts";
import type { SharedBinariesCounts } from "./shared-binaries-types.ts";

/** How memory is analysed. Defaults: {@link ANALYSIS_DEFAULTS}. */
export interface AnalysisOptions {
  /** Longest wait for the answer of another isolate. Unit: ms. */
  readonly timeoutMs?: number;
}

/** How memory is analysed unless the options say otherwise. */
export const ANALYSIS_DEFAULTS: Required<AnalysisOptions> = Object.freeze({
  timeoutMs: 1_000, // as node.heapOf waits
});

/** The heap of this isolate, as V8 has it. Unit: bytes. */
export interface HeapFigures {
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly limitBytes: number;
  readonly availableBytes: number;
  readonly mallocedBytes: number;
  readonly peakMallocedBytes: number;
  /** Contexts that were let go of and are not collected yet. Unit: contexts. */
  readonly detachedContexts: number;
}

/** One space of the heap of this isolate. Unit: bytes. */
export interface HeapSpace {
  /** Name that V8 gives it, e.g. `old_space`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly availableBytes: number;
}

/** An isolate of the node and its memory, as far as it answered. */
export interface IsolateMemory {
  readonly slot: number;
  readonly generation: number;
  readonly threadId: number;
  /** For how long its event loop has not polled. Unit: ms. */
  readonly runningMs: number;
  /** Undefined where it gave none. */
  readonly heap: IsolateHeap | undefined;
  /** Why it gave none: `shim_missing`, `timeout`, `unknown_isolate`; undefined where it did. */
  readonly code: string | undefined;
}

/** Shared memory of the node, from `node.metrics()`. Unit: bytes, but for the counts. */
export interface SharedMemory {
  readonly arenaBytes: number;
  readonly arenaResidentBytes: number;
  /** Unit: slabs. */
  readonly slabsLive: number;
  readonly slabBytes: number;
  /** Allocations for which the arena had no room. Unit: allocations. */
  readonly refused: number;
  /** What is left of `receiveBytesMax`. */
  readonly reserveFreeBytes: number;
}

/** Shares of limits. Unit: percent. */
export interface MemoryShares {
  /** Used heap of its limit. */
  readonly heapPercent: number;
  /** Resident memory of the process of all memory of the machine. */
  readonly machinePercent: number;
  /** Used memory of the control group of its limit; undefined where there is no limit. */
  readonly cgroupPercent: number | undefined;
  /** Atoms of the atom table's limit. */
  readonly atomsPercent: number;
}

/** The memory of an isolate, its node and its process, at one moment. */
export interface MemoryAnalysis {
  /** Of this isolate. */
  readonly heap: HeapFigures;
  /** Of this isolate. */
  readonly spaces: readonly HeapSpace[];
  /** Memory outside of this isolate's heap that its objects keep. Unit: bytes. */
  readonly externalBytes: number;
  /** The part of it that array buffers are. Unit: bytes. */
  readonly arrayBufferBytes: number;
  /** Of the process. Unit: bytes. */
  readonly residentBytes: number;
  /** Of the machine. Unit: bytes. */
  readonly machineBytes: number;
  /** Every isolate of the node, this one included. */
  readonly isolates: readonly IsolateMemory[];
  readonly shared: SharedMemory;
  /** Undefined where the system keeps no control groups of memory. */
  readonly cgroup: CgroupMemory | undefined;
  readonly atoms: AtomCounts;
  /** Pools of shared binaries that this isolate made of its node. */
  readonly pools: readonly SharedBinariesCounts[];
  readonly shares: MemoryShares;
  /** What the figures above speak for; empty where nothing is near a limit. */
  readonly recommendations: readonly Recommendation[];
}
