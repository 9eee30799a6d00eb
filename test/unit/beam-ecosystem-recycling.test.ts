import { expect, test } from "vitest";
import type { EcosystemOptions } from "../../dist/ts/index.js";
import { EcosystemScene } from "./beam-ecosystem-scene.ts";
import { settled } from "./beam-scene.ts";

test("a worker is started anew after its pieces of work, which counts for no restart", async () => {
  const scene = new EcosystemScene();
  const starts: string[] = [];
  const { ecosystems, processes } = scene;
  const e = await scene.spawn({
    gcStrategy: "recycle",
    workers: {
      count: 1,
      recycle: { afterPieces: 3 },
      start: {
        label: "Counter",
        isSupervisor: false,
        make: () => {
          let done = 0;
          return {
            init: (self) => void starts.push(`${self.pid}`),
            handle: () => ++done,
          };
        },
      },
    },
    // More recycling than restarts would be borne.
    supervision: { intensity: { restartsMax: 0 } },
  });
  const numbers = Array.from({ length: 100 }, (_none, n) => n);
  const counts = (await Promise.all(
    numbers.map(async (n) => processes.call(e, n)),
  )) as readonly number[];
  // One that is being asked for the last time may be given one more.
  expect(Math.max(...counts)).toBeLessThanOrEqual(4);
  await settled();
  const workers = ecosystems.listWorkers(e);
  expect(workers.map(({ restarts }) => restarts)).toEqual([0]);
  const recycles = workers.reduce((sum, worker) => sum + worker.recycles, 0);
  expect(recycles).toBe(starts.length - 1);
  expect(recycles).toBeGreaterThanOrEqual(25);
  expect(ecosystems.ecosystemInfo(e)).toMatchObject({
    gcStrategy: "recycle",
    counts: { completed: 100, redistributed: 0 },
  });
  await ecosystems.shutdownEcosystem(e);
  expect(processes.list()).toEqual([]);
});

const light = { start: () => 1 };
const heavy = { module: "some-package" };

test.each<[string, object]>([
  ["memoryStrategy must be one of", { workers: light, memoryStrategy: "pooled" }],
  ["gcStrategy must be one of", { workers: light, gcStrategy: "coordinated" }],
  ["`sharedHeap` needs", { workers: heavy, memoryStrategy: "sharedHeap" }],
  ["light workers share the heap", { workers: light, memoryStrategy: "sharedBinaries" }],
  ["V8 has it by isolate", { workers: light, memoryStrategy: "frequentGc" }],
  ["V8 has it by isolate", { workers: light, gcStrategy: "rareMinor" }],
  [
    "is gcStrategy 'frequentMinor'",
    {
      workers: heavy,
      memoryStrategy: "frequentGc",
      gcStrategy: "rareMinor",
    },
  ],
  [
    "leave `workers.youngMiB` out",
    {
      workers: { ...heavy, youngMiB: 8 },
      gcStrategy: "frequentMinor",
    },
  ],
  ["`youngMiB` is of workers", { workers: { ...light, youngMiB: 8 } }],
  ["youngMiB must be at least 1", { workers: { ...heavy, youngMiB: 0 } }],
  ["it would halt everybody", { workers: light, gcStrategy: "betweenWork" }],
  ["needs `workers.recycle`", { workers: light, gcStrategy: "recycle" }],
  ["is of `gcStrategy: 'recycle'`", { workers: { ...light, recycle: { afterPieces: 1 } } }],
  [
    "a shared heap is nobody's",
    {
      workers: { ...light, recycle: { aboveMiB: 1 } },
      gcStrategy: "recycle",
    },
  ],
  ["afterPieces", { workers: { ...light, recycle: { afterPieces: 0 } }, gcStrategy: "recycle" }],
  ["no option 'never'", { workers: { ...light, recycle: { never: 1 } }, gcStrategy: "recycle" }],
  ["is of `memoryStrategy: 'sharedBinaries'`", { workers: { ...heavy, sharedMiB: 1 } }],
])("memory that V8 or Node cannot give is refused: %s", async (reason, options) => {
  const { ecosystems, processes } = new EcosystemScene();
  await expect(ecosystems.spawnEcosystem(options as EcosystemOptions)).rejects.toMatchObject({
    code: "invalid_options",
    message: expect.stringContaining(reason) as string,
  });
  expect(processes.list()).toEqual([]);
});
