import type { FoundationNode, Pid } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { subject } from "./fixtures/subject.mjs";
import { allReady, LocalNodes } from "./local-nodes.ts";
import { NodeProcesses } from "./node-process.ts";

const MODULE = new URL("./fixtures/heavy-worker.mjs", import.meta.url);
const SOON = { timeout: 15_000 };

let nodes: LocalNodes;
let here: FoundationNode;
/** Processes that every node has: those of its services. */
let services: number;
beforeEach(async () => {
  nodes = new LocalNodes();
  here = await nodes.start({ name: "here" });
  services = here.beam.processes.list().length;
  here.beam.processes.on("crashed", () => {});
});
afterEach(async () => nodes.leaveAll());

async function startThere(name: string, isOffering = true): Promise<FoundationNode> {
  const there = await nodes.start({ name, seeds: [here.address] });
  if (isOffering) there.beam.processes.offer("subject", subject as never);
  return there;
}

/** How many processes a node has beside its services. */
function ownOf(node: FoundationNode | undefined): number {
  return (node?.beam.processes.list().length ?? 0) - services;
}

/** At which nodes the workers of an ecosystem are. */
function homes(e: Pid): (string | undefined)[] {
  return here.beam.ecosystems
    .listWorkers(e)
    .map(({ pid }) => pid?.node)
    .toSorted();
}

describe("workers on other nodes", () => {
  test("are where the factory is offered, and do what is sent, called and cast", async () => {
    const others = [await startThere("a"), await startThere("b"), await startThere("c", false)];
    await allReady([here, ...others], 4);
    const { ecosystems, processes } = here.beam;
    const e = await ecosystems.spawnEcosystem({
      workers: { factory: "subject", count: 4 },
      distribution: "clusterWide",
      topology: "ring",
    });
    expect(homes(e)).toEqual(["a", "a", "b", "b"]);
    expect(await processes.call(e, { order: "echo", argument: 1 })).toBe(1);
    const late = { order: "later", argument: { ms: 1, value: "late" } };
    expect(await processes.call(e, late)).toBe("late");
    processes.send(e, "hello");
    processes.cast(e, "hello");
    await expect.poll(() => ecosystems.ecosystemInfo(e).counts.completed, SOON).toBe(4);
    expect(ecosystems.ecosystemInfo(e).distribution).toMatchObject({
      placement: "spread",
      nodes: [
        { node: "a", workers: 2 },
        { node: "b", workers: 2 },
      ],
      moved: 0,
    });
    expect(await ecosystems.shutdownEcosystem(e)).toMatchObject({ isDrained: true, killed: 0 });
    await expect.poll(() => ownOf(others[0]), SOON).toBe(0);
  });

  test("follow nodes that come, and those that leave", async () => {
    const a = await startThere("a");
    await allReady([here, a], 2);
    const { ecosystems, processes } = here.beam;
    const e = await ecosystems.spawnEcosystem({
      workers: { factory: "subject", count: 4 },
      distribution: "clusterWide",
    });
    expect(homes(e)).toEqual(["a", "a", "a", "a"]);
    const b = await startThere("b");
    await expect.poll(() => homes(e), SOON).toEqual(["a", "a", "b", "b"]);
    expect(ecosystems.ecosystemInfo(e).distribution?.moved).toBe(2);
    await a.leave({ drainMs: 0 });
    await expect.poll(() => homes(e), SOON).toEqual(["b", "b", "b", "b"]);
    expect(await processes.call(e, { order: "echo", argument: 1 })).toBe(1);
    expect(ownOf(b)).toBe(4);
  });

  test("are on the nodes that are named, by a rule of one's own", async () => {
    for (const name of ["a", "b", "c"]) await startThere(name);
    await allReady([here], 4);
    const { ecosystems } = here.beam;
    const e = await ecosystems.spawnEcosystem({
      workers: { factory: "subject", count: 3 },
      distribution: {
        nodes: ["b", "c"],
        placement: (candidates) => (candidates.at(-1)?.workers === 0 ? "c" : "b"),
      },
    });
    expect(homes(e)).toEqual(["b", "b", "c"]);
    expect(ecosystems.ecosystemInfo(e).distribution?.placement).toBe("function");
  });

  test("have an isolate of their own where that is demanded", async () => {
    const a = await startThere("a");
    const worker = { module: MODULE, export: "Squarer" };
    const { heavy } = await import("foundation-runtime");
    a.beam.processes.offer("squarer", () => heavy(worker));
    await allReady([here, a], 2);
    const { ecosystems, processes } = here.beam;
    const distribution = "clusterWide";
    const memoryStrategy = "isolatedHeaps";
    const light = {
      workers: { factory: "subject", count: 1 },
      distribution,
      memoryStrategy,
    } as const;
    await expect(ecosystems.spawnEcosystem(light)).rejects.toMatchObject({ code: "init_failed" });
    const e = await ecosystems.spawnEcosystem({
      workers: { factory: "squarer", count: 1 },
      distribution,
      memoryStrategy,
    });
    expect(a.isolates()).toHaveLength(2);
    expect(Number.isNaN(await processes.call(e, 3))).toBe(true); // its `init` got no offset
    await ecosystems.shutdownEcosystem(e);
    await expect.poll(() => a.isolates().length, SOON).toBe(1);
  });

  test("do not start where nobody offers them, which is said after the wait", async () => {
    const start = here.beam.ecosystems.spawnEcosystem({
      workers: { factory: "subject", count: 1 },
      distribution: { waitMs: 50 },
    });
    await expect(start).rejects.toMatchObject({
      code: "init_failed",
      message: expect.stringContaining("no node offers 'subject'") as string,
    });
    expect(ownOf(here)).toBe(0);
  });
});

test("a killed node costs no accepted work, and its workers live elsewhere", async () => {
  const cluster = new NodeProcesses();
  try {
    const seeds = [here.address];
    const others = await Promise.all(
      ["first", "second", "third"].map(async (name) => cluster.start(name, { seeds })),
    );
    await allReady([here], 4);
    for (const other of others) await other.offerSubject();
    const { ecosystems, processes } = here.beam;
    const e = await ecosystems.spawnEcosystem({
      workers: { factory: "subject", count: 6 },
      distribution: "clusterWide",
      coordinator: { inFlightMax: 8 },
    });
    expect(homes(e)).toEqual(["first", "first", "second", "second", "third", "third"]);
    const works = Array.from({ length: 600 }, (_none, value) => value);
    const answers = works.map(async (value) => {
      const work = { order: "later", argument: { ms: 10, value } };
      return processes.call(e, work, { timeoutMs: 60_000 });
    });
    const { counts } = ecosystems.ecosystemInfo(e);
    await expect.poll(() => ecosystems.ecosystemInfo(e).counts.completed, SOON).toBeGreaterThan(50);
    expect(counts.redistributed).toBe(0);
    await others[0]?.kill();
    expect(await Promise.all(answers)).toEqual(works);
    await expect
      .poll(() => homes(e), SOON)
      .toEqual(["second", "second", "second", "third", "third", "third"]);
    const after = ecosystems.ecosystemInfo(e);
    expect(after.counts).toMatchObject({ accepted: 600, completed: 600, givenUp: 0, failed: 0 });
    expect(after.counts.redistributed).toBeGreaterThan(0);
    expect(after.workers.reduce((sum, { restarts }) => sum + restarts, 0)).toBe(2);
    await ecosystems.shutdownEcosystem(e);
  } finally {
    await cluster.killAll();
  }
});
