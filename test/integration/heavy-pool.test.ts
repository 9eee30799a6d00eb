import type { FoundationNode, Pid } from "foundation-runtime";
import { heavy } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalNodes } from "./local-nodes.ts";
import { Probe } from "./probe.ts";

const SERVERS = new URL("./fixtures/heavy-servers.mjs", import.meta.url);
const LIMITED = new URL("./fixtures/limited-servers.mjs", import.meta.url);
const counter = { module: SERVERS, export: "Counter" };

let nodes: LocalNodes;
beforeEach(() => {
  nodes = new LocalNodes();
});
afterEach(async () => nodes.leaveAll());

const poolOf = (node: FoundationNode) => node.beam.processes.counts().heavyPool;
const slotsOf = (node: FoundationNode) => node.isolates().map(({ slot }) => slot);

/** Resolves when as many isolates wait as are wanted. */
async function filled(node: FoundationNode, idle: number): Promise<void> {
  await expect.poll(() => poolOf(node)?.idle, { timeout: 20_000 }).toBe(idle);
}

describe("a node with a pool", () => {
  test("starts heavy processes in isolates that wait, and replaces them", async () => {
    const node = await nodes.start({ name: "host", heavyPool: { idle: 2 } });
    const { processes } = node.beam;
    await filled(node, 2);
    const before = slotsOf(node);
    expect(before).toHaveLength(3);
    const pid = await processes.start(heavy(counter), { args: [40], name: "counter" });
    expect(before).toContain(pid.home.slot);
    expect(await processes.call("counter", 2)).toBe(42);
    await filled(node, 2);
    expect(poolOf(node)).toMatchObject({ taken: 1, coldStarts: 0, lost: 0 });
    await processes.stop(pid);
    await expect.poll(() => slotsOf(node)).toHaveLength(3);
  });

  test("serves other isolates of its node", async () => {
    const node = await nodes.start({ name: "host", heavyPool: { idle: 1 } });
    const { processes } = node.beam;
    await filled(node, 1);
    const first = await processes.start(heavy(counter));
    await filled(node, 1);
    const second = (await processes.call(first, "start another")) as Pid;
    expect(await processes.call(second, 3)).toBe(3);
    expect(poolOf(node)).toMatchObject({ taken: 2, coldStarts: 0 });
  });

  test("keeps limits in isolates that waited", async () => {
    const node = await nodes.start({ name: "host", heavyPool: { idle: 1 } });
    const probe = new Probe(node, { trapExit: true });
    const { processes } = node.beam;
    const limited = { module: LIMITED, export: "Limited" };
    for (const [limit, order] of [
      [{ stallMs: 100 }, "loop"],
      [{ offHeapMiB: 64 }, "hoard"],
    ] as const) {
      await filled(node, 1);
      const pid = await processes.start(heavy({ ...limited, ...limit }));
      probe.watch(pid);
      processes.cast(pid, order);
      const kind = order === "loop" ? "stalled" : "offHeap";
      await expect.poll(() => probe.got.at(-1)).toMatchObject({ pid, reason: { kind } });
    }
    const stuck = heavy({ module: LIMITED, export: "Stuck", stallMs: 100 });
    await filled(node, 1);
    await expect(processes.start(stuck)).rejects.toMatchObject({
      context: { reason: { kind: "stalled" } },
    });
    expect(poolOf(node)).toMatchObject({ taken: 3, coldStarts: 0 });
  });

  test("has a heap limit, and starts others without it", async () => {
    const node = await nodes.start({ name: "host", heavyPool: { idle: 1, heapMiB: 32 } });
    const probe = new Probe(node);
    const { processes } = node.beam;
    await filled(node, 1);
    const cold = await processes.start(heavy(counter));
    expect(poolOf(node)).toMatchObject({ idle: 1, taken: 0, coldStarts: 1 });
    const warm = await processes.start(heavy({ ...counter, heapMiB: 32 }));
    expect(poolOf(node)).toMatchObject({ taken: 1, coldStarts: 1 });
    probe.watch(warm);
    processes.cast(warm, "hoard");
    const { reason } = await probe.next<{ reason: { code?: string } }>(() => true);
    expect(reason).toMatchObject({ code: "ERR_WORKER_OUT_OF_MEMORY" });
    expect(await processes.call(cold, 1)).toBe(1);
  });

  test("loads modules in advance", async () => {
    const node = await nodes.start({ name: "host", heavyPool: { idle: 1, preload: [SERVERS] } });
    await filled(node, 1);
    const pid = await node.beam.processes.start(heavy(counter));
    expect(await node.beam.processes.call(pid, 1)).toBe(1);
    expect(poolOf(node)).toMatchObject({ taken: 1, lost: 0 });
  });

  test("says why its isolates do not come up, and starts without them", async () => {
    const preload = [new URL("./nowhere.mjs", import.meta.url)];
    const node = await nodes.start({ name: "host", heavyPool: { idle: 1, preload } });
    await expect.poll(() => poolOf(node)?.lastLoss, { timeout: 20_000 }).toMatch(/nowhere\.mjs/);
    const pid = await node.beam.processes.start(heavy(counter));
    expect(await node.beam.processes.call(pid, 1)).toBe(1);
    expect(poolOf(node)).toMatchObject({ idle: 0, taken: 0, coldStarts: 1 });
  });

  test("ends them when it leaves", async () => {
    const node = await nodes.start({ name: "host", heavyPool: { idle: 1 } });
    const beside = await nodes.start({ name: "beside" });
    await filled(node, 1);
    const pid = await node.beam.processes.start(heavy(counter));
    await node.leave({ drainMs: 0 });
    expect(poolOf(node)).toMatchObject({ idle: 0, booting: 0 });
    expect(slotsOf(beside)).toHaveLength(1);
    expect(node.beam.processes.isAlive(pid)).toBe(false);
  });
});

test.each([
  [{ idle: 65 }, /0 to 64/],
  [{ idle: 1, heapMb: 64 }, /did you mean 'heapMiB'/],
])("heavyPool: %j is refused", async (heavyPool, message) => {
  await expect(nodes.start({ name: "host", heavyPool })).rejects.toMatchObject({
    code: "invalid_options",
    message: expect.stringMatching(message),
  });
});
