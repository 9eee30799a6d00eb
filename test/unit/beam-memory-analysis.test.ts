import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { type AnalysedNode, analyze } from "../../ts/beam/memory/analysis.ts";
import { AtomTable } from "../../ts/beam/memory/atoms.ts";
import { cgroupMemory } from "../../ts/beam/memory/cgroup.ts";
import { type MemoryFigures, recommend } from "../../ts/beam/memory/recommendations.ts";
import { SharedBinaries } from "../../ts/beam/memory/shared-binaries.ts";
import type { NodeMetrics } from "../../ts/kernel/node-types.ts";

const MIB = 1 << 20;

const files = (tree: Record<string, string>) => (path: string) => tree[path];

const HEAP = {
  usedHeapBytes: 30 * MIB,
  totalHeapBytes: 40 * MIB,
  heapLimitBytes: 100 * MIB,
  externalBytes: 0,
  mallocedBytes: 0,
};

/** A node of two isolates, of which one does not answer. */
const NODE: AnalysedNode = {
  isolates: () => [
    { slot: 1, generation: 1, threadId: 0, runningMs: 0 },
    { slot: 2, generation: 4, threadId: 7, runningMs: 30 },
  ],
  heapOf: async (slot) => {
    if (slot === 1) return HEAP;
    throw new FoundationError("timeout", "it is in a native call");
  },
  metrics: () =>
    ({
      boundary: { arenaBytes: 10, arenaResidentBytes: 20 },
      slabs: { live: 3, liveBytes: 300, refused: 1 },
      reserveFreeBytes: 77,
    }) as unknown as NodeMetrics,
};

const OWN = { atoms: new AtomTable().counts(), pools: [] };

async function figures(): Promise<MemoryFigures> {
  return analyze(NODE, OWN);
}

describe("an analysis", () => {
  test("has the figures of V8, of the process and of the node", async () => {
    const held = new Uint8Array(3 * MIB);
    const found = await analyze(NODE, OWN);
    expect(found.heap.usedBytes).toBeGreaterThan(MIB);
    expect(found.heap.limitBytes).toBeGreaterThan(found.heap.usedBytes);
    expect(found.spaces.map(({ name }) => name)).toContain("old_space");
    const inSpaces = found.spaces.reduce((sum, space) => sum + space.sizeBytes, 0);
    expect(inSpaces).toBeGreaterThan(found.heap.usedBytes);
    expect(found.arrayBufferBytes).toBeGreaterThanOrEqual(held.byteLength);
    expect(found.residentBytes).toBeGreaterThan(found.heap.usedBytes);
    const { heap, shares } = found;
    expect(shares.heapPercent).toBeCloseTo((100 * heap.usedBytes) / heap.limitBytes);
    expect(found.shared).toEqual({
      arenaBytes: 10,
      arenaResidentBytes: 20,
      slabsLive: 3,
      slabBytes: 300,
      refused: 1,
      reserveFreeBytes: 77,
    });
  });

  test("lists every isolate, and why one gave no figures", async () => {
    const { isolates } = await figures();
    expect(isolates.map(({ slot, heap, code }) => [slot, heap, code])).toEqual([
      [1, HEAP, undefined],
      [2, undefined, "timeout"],
    ]);
  });

  test("does not hide what is no answer of an isolate", async () => {
    const left = { ...NODE, metrics: () => Promise.reject(new Error()) as never };
    left.metrics = () => {
      throw new FoundationError("node_left", "left");
    };
    await expect(analyze(left, OWN)).rejects.toMatchObject({ code: "node_left" });
    const options = { timeoutMs: 0 };
    await expect(analyze(NODE, OWN, options)).rejects.toMatchObject({ code: "invalid_options" });
  });
});

describe("recommendations", () => {
  test("come from the figures, the worst first", async () => {
    const calm = await figures();
    const shares = { heapPercent: 81, machinePercent: 5, cgroupPercent: 96, atomsPercent: 79.9 };
    const found = recommend({ ...calm, shares }).map(({ code, severity }) => [code, severity]);
    expect(found).toEqual([
      ["cgroup_near_limit", "critical"],
      ["heap_near_limit", "warning"],
      ["arena_refused", "warning"],
    ]);
  });

  test("name the isolate near its limit, and memory that no heap limit bounds", async () => {
    const calm = await figures();
    const near = { ...calm.isolates[0]!, slot: 9, heap: { ...HEAP, usedHeapBytes: 97 * MIB } };
    const shared = { ...calm.shared, refused: 0 };
    const heap = { ...calm.heap, usedBytes: 20 * MIB };
    const shares = { heapPercent: 1, machinePercent: 1, cgroupPercent: undefined, atomsPercent: 0 };
    const full = { ...calm, heap, shared, shares, isolates: [near], externalBytes: 81 * MIB };
    expect(recommend(full)).toMatchObject([
      { code: "isolate_near_limit", severity: "critical", figures: { slot: 9, heapPercent: 97 } },
      { code: "mostly_external", severity: "notice" },
    ]);
    const quiet = { ...full, isolates: [], externalBytes: 79 * MIB };
    expect(recommend(quiet)).toEqual([]);
    const pool = new SharedBinaries({ budgetBytes: 1_000, freeBytesMax: 0 });
    pool.put(new Uint8Array(800));
    const found = recommend({ ...quiet, pools: [pool.counts()] });
    const facts = { usedBytes: 896, budgetBytes: 1_000 };
    expect(found).toMatchObject([
      { code: "pool_near_budget", severity: "warning", figures: facts },
    ]);
  });
});

describe("a control group", () => {
  test("of version 2 has the tightest limit above it", () => {
    const read = files({
      "/proc/self/cgroup": "0::/app/web\n",
      "/sys/fs/cgroup/app/web/memory.max": "max\n",
      "/sys/fs/cgroup/app/web/memory.current": "1000\n",
      "/sys/fs/cgroup/app/memory.max": "5000\n",
      "/sys/fs/cgroup/app/memory.current": "3000\n",
    });
    const expected = { version: 2, path: "/app/web", limitBytes: 5_000, usedBytes: 1_000 };
    expect(cgroupMemory(read)).toEqual(expected);
  });

  test("of version 1 has none where the system writes its largest number", () => {
    const read = files({
      "/proc/self/cgroup": "5:cpu:/x\n4:memory:/gone\n0::/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/memory/memory.usage_in_bytes": "4096\n",
    });
    const expected = { version: 1, path: "/gone", limitBytes: undefined, usedBytes: 4_096 };
    expect(cgroupMemory(read)).toEqual(expected);
  });

  test("is not made up where there is none", () => {
    expect(cgroupMemory(files({}))).toBeUndefined();
    expect(cgroupMemory(files({ "/proc/self/cgroup": "0::/\n" }))).toBeUndefined();
  });
});
