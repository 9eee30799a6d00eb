import type { MemoryAnalysis } from "./analysis-types.ts";

/** Something that the figures of an analysis speak for. */
export interface Recommendation {
  /** Stable word for programs, e.g. `heap_near_limit`. */
  readonly code: string;
  /** `critical`: what it warns of ends the process or refuses work if usage grows further. */
  readonly severity: "notice" | "warning" | "critical";
  /** The figure that led to it, in the unit of its name. */
  readonly figures: Readonly<Record<string, number>>;
  /** What it means and what to do, for people. */
  readonly text: string;
}

/** Figures from which advice is derived: all of an analysis but the advice. */
export type MemoryFigures = Omit<MemoryAnalysis, "recommendations">;

/** From here on a share of a limit is worth a warning. Unit: percent. */
const WARNING_PERCENT = 80;

/** From here on it is worse: V8 collects ever more often, the kernel may end the process. */
const CRITICAL_PERCENT = 95;

/** More of the heap than this outside of it: its limit does not bound the isolate. Unit: ratio. */
const EXTERNAL_RATIO = 4;

/** Below this, memory outside of the heap is not worth a word. Unit: bytes. */
const EXTERNAL_BYTES_MIN = 64 << 20;

/** What the figures speak for, the worst first. */
export function recommend(figures: MemoryFigures): Recommendation[] {
  const found = [
    ...nearLimits(figures),
    ...isolatesNearLimits(figures),
    ...poolsNearBudgets(figures),
    ...sharedMemory(figures),
    ...outsideOfTheHeap(figures),
  ];
  const order = ["critical", "warning", "notice"];
  return found.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function nearLimits({ shares }: MemoryFigures): Recommendation[] {
  const { heapPercent, cgroupPercent = 0, machinePercent, atomsPercent } = shares;
  return [
    ...near("heap_near_limit", { heapPercent }, heapPercent, "Keep less, or raise the heap limit."),
    ...near(
      "cgroup_near_limit",
      { cgroupPercent },
      cgroupPercent,
      "The kernel ends a process of the group at its limit: keep less, or raise it.",
    ),
    ...near("machine_near_limit", { machinePercent }, machinePercent, "The machine may swap."),
    ...near(
      "atoms_near_limit",
      { atomsPercent },
      atomsPercent,
      "Texts from outside become atoms: look at who interns them, or use a table with evict 'lru'.",
    ),
  ];
}

function near(
  code: string,
  figures: Readonly<Record<string, number>>,
  percent: number,
  text: string,
): Recommendation[] {
  if (percent < WARNING_PERCENT) return [];
  return [{ code, severity: percent < CRITICAL_PERCENT ? "warning" : "critical", figures, text }];
}

function isolatesNearLimits({ isolates }: MemoryFigures): Recommendation[] {
  return isolates.flatMap(({ slot, heap }) => {
    if (heap === undefined) return [];
    const percent = (100 * heap.usedHeapBytes) / heap.heapLimitBytes;
    const text = `The isolate of slot ${slot} is near its heap limit.`;
    return near("isolate_near_limit", { slot, heapPercent: percent }, percent, text);
  });
}

function poolsNearBudgets({ pools }: MemoryFigures): Recommendation[] {
  return pools.flatMap(({ usedBytes, budgetBytes }) => {
    const percent = (100 * usedBytes) / budgetBytes;
    const text = "Release shared binaries sooner, put some as evictable, or raise budgetBytes.";
    return near("pool_near_budget", { usedBytes, budgetBytes }, percent, text);
  });
}

function sharedMemory({ shared: { refused, slabsLive, slabBytes } }: MemoryFigures) {
  if (refused === 0) return [];
  const text = "Shared memory was refused: release large messages sooner, or raise arenaBytesMax.";
  const figures = { refused, slabsLive, slabBytes };
  return [{ code: "arena_refused", severity: "warning", figures, text } satisfies Recommendation];
}

function outsideOfTheHeap({ externalBytes, heap }: MemoryFigures): Recommendation[] {
  const isMuch = externalBytes > EXTERNAL_BYTES_MIN;
  if (!isMuch || externalBytes < EXTERNAL_RATIO * heap.usedBytes) return [];
  const text = "Most memory lies outside of the heap, where the heap limit does not bound it.";
  const figures = { externalBytes, heapBytes: heap.usedBytes };
  return [{ code: "mostly_external", severity: "notice", figures, text }];
}
