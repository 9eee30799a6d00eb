import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { EcosystemOptions, FoundationNode, Pid } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalNodes } from "./local-nodes.ts";

const MODULE = new URL("./fixtures/memory-worker.mjs", import.meta.url);
const WORKER = { module: MODULE, export: "MemoryWorker", count: 1 };

let nodes: LocalNodes;
let node: FoundationNode;
beforeEach(async () => {
  nodes = new LocalNodes();
  node = await nodes.start({ name: "host" });
});
afterEach(async () => {
  Reflect.deleteProperty(globalThis, "gc");
  await nodes.leaveAll();
});

async function spawn(options: Partial<EcosystemOptions>): Promise<Pid> {
  return node.beam.ecosystems.spawnEcosystem({ workers: WORKER, ...options });
}

describe("a young generation", () => {
  test("is small with `frequentMinor` and large with `rareMinor`, to V8 too", async () => {
    const { processes } = node.beam;
    const frequent = await spawn({ gcStrategy: "frequentMinor" });
    const rare = await spawn({ memoryStrategy: "lowLatency" });
    expect(node.beam.ecosystems.ecosystemInfo(rare).gcStrategy).toBe("rareMinor");
    expect(await processes.call(frequent, "young")).toBe(3);
    expect(await processes.call(rare, "young")).toBe(192);
    const options = { timeoutMs: 60_000 };
    const many = (await processes.call(frequent, "churn", options)) as number;
    const few = (await processes.call(rare, "churn", options)) as number;
    expect(many).toBeGreaterThan(2 * few);
  });

  test("has the size that is asked for", async () => {
    const e = await spawn({ workers: { ...WORKER, youngMiB: 12 } });
    expect(await node.beam.processes.call(e, "young")).toBe(12);
  });
});

describe("`betweenWork`", () => {
  test("is refused where node does not let programs collect", async () => {
    await expect(spawn({ gcStrategy: "betweenWork" })).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining("--expose-gc") as string,
    });
  });

  test("collects what a piece of work has left, before the next one", async () => {
    const { processes } = node.beam;
    const lazy = await spawn({});
    setFlagsFromString("--expose-gc"); // as --expose-gc: for isolates that begin after it
    Reflect.set(globalThis, "gc", runInNewContext("gc"));
    const eager = await spawn({ gcStrategy: "betweenWork" });
    for (const e of [lazy, eager]) await processes.call(e, "drop");
    // The collection runs behind the answer to the first of them, hence before the second.
    for (const e of [lazy, eager]) await processes.call(e, "who");
    const look = async () => processes.call(eager, "look");
    await expect.poll(look).toBe("collected");
    expect(await processes.call(lazy, "look")).toBe("alive");
  });
});

test("a worker whose memory has grown is started anew, and its memory is gone", async () => {
  const { ecosystems, processes } = node.beam;
  const e = await spawn({
    gcStrategy: "recycle",
    workers: { ...WORKER, recycle: { aboveMiB: 60 } },
  });
  const thread = await processes.call(e, "who");
  expect(await processes.call(e, { hoardMiB: 20 })).toBe(1);
  expect(await processes.call(e, "who")).toBe(thread);
  expect(await processes.call(e, { hoardMiB: 60 })).toBe(2);
  expect(await processes.call(e, { hoardMiB: 1 })).toBe(1);
  expect(await processes.call(e, "who")).not.toBe(thread);
  expect(ecosystems.listWorkers(e)).toMatchObject([{ recycles: 1, restarts: 0, done: 6 }]);
});

describe("bytes in shared memory", () => {
  const LENGTH = 1 << 20;

  test("reach isolates without a copy where they are shared already", async () => {
    const { ecosystems, processes } = node.beam;
    const e = await spawn({ memoryStrategy: "sharedBinaries" });
    const bytes = new Uint8Array(new SharedArrayBuffer(LENGTH));
    bytes[1] = 5;
    expect(await processes.call(e, bytes)).toEqual([5, true, LENGTH]);
    expect(bytes[0]).toBe(77); // it was this memory
    bytes[0] = 0;
    const work = { name: "cat", image: bytes };
    expect(await processes.call(e, work)).toEqual(["cat", [5, true, LENGTH]]);
    expect(bytes[0]).toBe(77);
    expect(work.image).toBe(bytes);
    processes.send(e, bytes);
    await expect.poll(() => ecosystems.ecosystemInfo(e).counts.completed).toBe(3);
    expect(ecosystems.ecosystemInfo(e).sharing).toEqual({
      pieces: 3,
      bytes: 3 * LENGTH,
      copies: 0,
      copiedBytes: 0,
      refused: 0,
      binaries: 0,
    });
  });

  test("are copied there once where they are not, and free when the work is done", async () => {
    const { ecosystems, processes } = node.beam;
    const e = await spawn({ memoryStrategy: "sharedBinaries" });
    const bytes = new Uint8Array(LENGTH).fill(9);
    expect(await processes.call(e, bytes)).toEqual([9, true, LENGTH]);
    expect(bytes[0]).toBe(9);
    const small = new Uint8Array(1_000).fill(3);
    expect(await processes.call(e, small)).toEqual([3, false, 1_000]);
    expect(ecosystems.ecosystemInfo(e).sharing).toEqual({
      pieces: 1,
      bytes: LENGTH,
      copies: 1,
      copiedBytes: LENGTH,
      refused: 0,
      binaries: 0,
    });
  });

  test("go the usual way where there is no room, and are free when a reader dies", async () => {
    const { ecosystems, processes } = node.beam;
    const module = new URL("./fixtures/heavy-worker.mjs", import.meta.url);
    const e = await spawn({
      memoryStrategy: "sharedBinaries",
      workers: { module, export: "Squarer", args: [0], count: 2, sharedMiB: 1 },
      coordinator: { attemptsMax: 1, dispatch: "roundRobin" },
    });
    const looping = processes.call(e, { loop: new Uint8Array(600_000) });
    const lost = expect(looping).rejects.toMatchObject({ code: "work_given_up" });
    await expect.poll(() => ecosystems.ecosystemInfo(e).sharing?.binaries).toBe(1);
    expect(await processes.call(e, new Uint8Array(600_000))).toBeNaN();
    expect(ecosystems.ecosystemInfo(e).sharing).toMatchObject({ pieces: 1, refused: 1 });
    processes.exit(ecosystems.listWorkers(e)[0]?.pid as Pid, "kill");
    await lost;
    expect(ecosystems.ecosystemInfo(e).sharing?.binaries).toBe(0);
  });
});
