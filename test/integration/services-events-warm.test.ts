import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type WarmDurability, WarmStore, type WarmStoreOptions } from "../../dist/ts/index.js";
import { numberedEvent } from "./fixtures/warm-events.mjs";
import { LossyDisk } from "./lossy-disk.ts";
import { printedRandom } from "./seeded-random.ts";
import { countWhole, WarmWriter } from "./warm-writer.ts";

const KILLS = 12;
const POWER_LOSSES = 8;
/** Most events that one process writes, and most lines that are read of it before it is killed. */
const EVENTS = 10_000;
const LINES = 800;
/** Small enough for many segments, and large enough to keep every event. */
const SIZE = { maxSizeMb: 48 };

const folders: string[] = [];
const disks: LossyDisk[] = [];
const writers: WarmWriter[] = [];

afterEach(async () => {
  for (const writer of writers.splice(0)) await writer.kill();
  for (const disk of disks.splice(0)) await disk.unmount();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "warm-store-"));
  folders.push(folder);
  return folder;
}

function writer(options: WarmStoreOptions): WarmWriter {
  const started = new WarmWriter(options, EVENTS);
  writers.push(started);
  return started;
}

describe.each<WarmDurability>(["process", "disk"])("with durability %s", (durability) => {
  test("a process killed at any moment loses nothing acknowledged", async () => {
    const random = printedRandom(`kills with durability ${durability}`);
    const options = { ...SIZE, path: await newFolder(), durability };
    let events = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = writer(options);
      await victim.read(1 + random.below(LINES));
      await victim.kill();
      expect(victim.acknowledged).toBeGreaterThanOrEqual(events);
      events = await countWhole(options);
      expect(events).toBeGreaterThanOrEqual(victim.acknowledged);
    }
    expect(events).toBeGreaterThan(KILLS * 100);
  });
});

const missing = await LossyDisk.missing();
if (missing !== undefined) console.warn(`power losses go untested: ${missing}`);

describe.skipIf(missing !== undefined)("on a disk that loses what was not synced", () => {
  async function newDisk(seed: number): Promise<LossyDisk> {
    const disk = await LossyDisk.mount(seed);
    disks.push(disk);
    return disk;
  }

  /** Writes until the power fails; answers with what was acknowledged by then. */
  async function writeUntilPowerLoss(
    disk: LossyDisk,
    options: WarmStoreOptions,
    lines: number,
  ): Promise<number> {
    const victim = writer(options);
    await victim.read(lines);
    await disk.fail();
    await victim.kill();
    await disk.restore();
    return victim.acknowledged;
  }

  test.each(["nothing", "some"])("that keeps %s of it, 'disk' loses nothing", async (kept) => {
    const random = printedRandom(`power losses that keep ${kept}`);
    const disk = await newDisk(kept === "nothing" ? 0 : 1 + random.below(1_000_000));
    const options = { ...SIZE, path: disk.path, durability: "disk" } as const;
    for (let loss = 0; loss < POWER_LOSSES; loss++) {
      const lines = 1 + random.below(LINES);
      const acknowledged = await writeUntilPowerLoss(disk, options, lines);
      expect(await countWhole(options)).toBeGreaterThanOrEqual(acknowledged);
    }
  });

  test("a store whose disk fails says so until it is opened again", async () => {
    const disk = await newDisk(0);
    const options = { ...SIZE, path: disk.path, durability: "disk" } as const;
    const store = await WarmStore.open(options);
    await store.append([numberedEvent(1), numberedEvent(2)]);
    await disk.fail();
    const failed = expect.objectContaining({ code: "event_log_failed" });
    await expect(store.append([numberedEvent(3)])).rejects.toEqual(failed);
    await disk.restore();
    await expect(store.append([numberedEvent(3)])).rejects.toEqual(failed);
    await store.close();
    expect(await countWhole(options)).toBe(2);
  });

  // Shows that the tests above can see a store that does not sync.
  test("'process' does lose what was acknowledged", async () => {
    const disk = await newDisk(0);
    const options = { ...SIZE, path: disk.path, durability: "process" } as const;
    const acknowledged = await writeUntilPowerLoss(disk, options, 500);
    expect(acknowledged).toBeGreaterThan(0);
    expect(await countWhole(options)).toBeLessThan(acknowledged);
  });
});
