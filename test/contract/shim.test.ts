import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { ShimErrorCode, ShimStatistics } from "../../bindings/shim/contract.ts";

const run = promisify(execFile);

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SHIM = fromRoot(`dist/bindings/shim.abi${process.versions.modules}.node`);
const TEST_CORE = fromRoot("dist/test/test_core.node");
const SCENARIOS = fileURLToPath(new URL("./shim-scenarios.mjs", import.meta.url));

/** Runs one scenario in a fresh process and returns what it found; a crash rejects. */
async function scenario(name: string): Promise<unknown> {
  const args = ["--expose-gc", SCENARIOS, name, SHIM, TEST_CORE];
  const { stdout } = await run(process.execPath, args, { timeout: 50_000 });
  return JSON.parse(stdout);
}

/** The shim is optional: without a C++ compiler the build leaves it out and says so. */
const isBuilt = existsSync(SHIM) && existsSync(TEST_CORE);

describe.skipIf(!isBuilt)("the shim", () => {
  test("bad arguments are coded errors and never a crash", async () => {
    const invalid = (count: number) => Array<ShimErrorCode>(count).fill("shim_invalid_argument");
    expect(await scenario("badArguments")).toEqual({
      early: ["shim_not_connected", "shim_not_connected"],
      addresses: invalid(12),
      refused: ["shim_version_mismatch", "shim_vtable_incomplete", "shim_vtable_incomplete"],
      other: "shim_connected_elsewhere",
      sizes: invalid(10),
      ids: invalid(5),
      tooLarge: "shared_block_out_of_memory",
      unknown: "shared_block_gone",
    });
  });

  test("a block opened twice has one backing store and one reference", async () => {
    expect(await scenario("sameStore")).toMatchObject({
      isShared: true,
      byteLength: 4096,
      seen: 42,
      stats: { allocated: 1, retained: 0, shared: 1, live: 1, liveBytes: 4096 },
      core: { live: 1, released: 0 },
    });
  });

  test("a block that the core let go lives until JavaScript drops it, then is gone", async () => {
    expect(await scenario("receivedBlock")).toEqual({
      live: { seen: 0, core: { live: 1, made: 1, released: 1, wrongReleases: 0 } },
      core: { live: 0, made: 1, released: 2, wrongReleases: 0 },
      gone: "shared_block_gone",
    });
  });

  test("two workers write the same memory, one by id, one by message", async () => {
    const found = await scenario("crossWorkers");
    expect(found).toMatchObject({ sums: [1000, 1000], total: 2000, core: { wrongReleases: 0 } });
  });

  test("10,000 blocks of two workers are all freed, each once", async () => {
    expect(await scenario("tenThousandBlocks")).toMatchObject({
      ids: 10_000,
      stats: { allocated: 10_000, released: 10_000, live: 0, liveBytes: 0 },
      core: { live: 0, made: 10_000, released: 10_000, wrongReleases: 0 },
    });
  });

  test("an id opened while its last store dies is whole and released once a store", async () => {
    const found = await scenario("openAgainstCollection");
    expect(found).toMatchObject({
      wrongBytes: [0, 0],
      stats: { live: 0, retained: expect.toSatisfy((count: number) => count > 1) },
      core: { live: 0, wrongReleases: 0 },
    });
  });

  test("a block outlives the only worker that loaded the shim", async () => {
    expect(await scenario("onlyInWorker")).toEqual({
      seen: 9,
      core: { live: 0, made: 1, released: 1, wrongReleases: 0 },
    });
  });

  test("blocks press on the collector, so garbage stays bounded", async () => {
    const found = (await scenario("pressure")) as { liveMax: number; stats: ShimStatistics };
    // 2,000 blocks of 1 MiB were made; the collector must have kept up without being called.
    expect(found.stats.allocated).toBe(2_000);
    expect(found.liveMax).toBeLessThan(500);
  });
});
