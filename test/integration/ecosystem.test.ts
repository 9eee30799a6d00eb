import type { FoundationNode, Pid } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalNodes } from "./local-nodes.ts";

const MODULE = new URL("./fixtures/heavy-worker.mjs", import.meta.url);

let nodes: LocalNodes;
let node: FoundationNode;
beforeEach(async () => {
  nodes = new LocalNodes();
  node = await nodes.start({ name: "host" });
});
afterEach(async () => nodes.leaveAll());

describe("an ecosystem of heavy workers", () => {
  test("does its work in isolates of their own, also what other nodes send", async () => {
    const { ecosystems } = node.beam;
    const e = await ecosystems.spawnEcosystem("squares", {
      workers: { module: MODULE, export: "Squarer", args: [100], count: 2 },
      memoryStrategy: "isolatedHeaps",
      topology: "ring",
      coordinator: { dispatch: "roundRobin" },
    });
    const other = await nodes.start({ name: "other", seeds: [node.address] });
    await other.awaitReady({ minimumMembers: 2 });
    const squares = { node: "host", name: "squares" };
    expect(await other.beam.processes.call(squares, 3)).toBe(109);
    node.beam.processes.cast(e, "count me");
    await expect.poll(() => ecosystems.ecosystemInfo(e).counts.completed).toBe(2);
    const pids = ecosystems.listWorkers(e).map(({ pid }) => pid as Pid);
    const answers = await Promise.all(pids.map((pid) => other.beam.processes.call(pid, "who")));
    const [first, second] = answers as [number[], number[]];
    expect(first[0]).not.toBe(second[0]);
    expect([first[1], second[1]]).toEqual([1, 1]);
    expect((first[2] as number) + (second[2] as number)).toBe(1);
    expect(await ecosystems.shutdownEcosystem(e)).toMatchObject({ isDrained: true, killed: 0 });
    await expect.poll(() => node.isolates().length).toBe(1);
  });

  test("gives the work of one whose isolate died to the other", async () => {
    const { ecosystems, processes } = node.beam;
    const e = await ecosystems.spawnEcosystem({
      workers: { module: MODULE, export: "Squarer", args: [0], count: 2 },
    });
    const loops = processes.call(e, "loop", { timeoutMs: 20_000 });
    loops.catch(() => {});
    const busy = (): Pid | undefined => {
      return ecosystems.listWorkers(e).find(({ inFlight }) => inFlight > 0)?.pid;
    };
    // Three workers loop with it, one after the other; meanwhile the other one works.
    for (let victims = 1; victims <= 3; victims++) {
      await expect.poll(() => busy(), { timeout: 10_000 }).toBeDefined();
      expect(await processes.call(e, victims)).toBe(victims ** 2);
      const victim = busy() as Pid;
      const ended = processes.exitOf(victim);
      processes.exit(victim, "kill");
      expect(await ended).toBe("killed");
      await expect.poll(() => busy()?.equals(victim), { timeout: 10_000 }).not.toBe(true);
    }
    await expect(loops).rejects.toMatchObject({ code: "work_given_up" });
    const { counts } = ecosystems.ecosystemInfo(e);
    expect(counts).toMatchObject({ redistributed: 2, givenUp: 1, completed: 3 });
    await ecosystems.shutdownEcosystem(e);
  });

  test("ends one that computes for longer than it may, and goes on", async () => {
    const { ecosystems, processes } = node.beam;
    const e = await processes.spawnEcosystem("squares", {
      workers: { module: MODULE, export: "Squarer", args: [0], count: 1, stallMs: 500 },
      coordinator: { attemptsMax: 1 },
    });
    const loops = processes.call("squares", "loop", { timeoutMs: 20_000 });
    await expect(loops).rejects.toMatchObject({ code: "work_given_up" });
    expect(await processes.call(e, 3, { timeoutMs: 20_000 })).toBe(9);
    expect(ecosystems.ecosystemInfo("squares").counts).toMatchObject({ givenUp: 1, completed: 1 });
    await ecosystems.shutdownEcosystem(e);
  });

  test("kills one that loops when its grace is over", async () => {
    const { ecosystems, processes } = node.beam;
    const e = await ecosystems.spawnEcosystem({
      workers: { module: MODULE, export: "Squarer", args: [0], count: 1 },
    });
    const lost = processes.call(e, "loop");
    lost.catch(() => {});
    await expect.poll(() => ecosystems.listWorkers(e)[0]?.inFlight).toBe(1);
    expect(await ecosystems.shutdownEcosystem(e, { graceMs: 50 })).toEqual({
      isDrained: false,
      abandoned: 1,
      killed: 1,
    });
    await expect(lost).rejects.toMatchObject({ code: "process_exited" });
    await expect.poll(() => node.isolates().length).toBe(1);
  });

  test("does not start with a module that exports no worker", async () => {
    node.beam.processes.on("crashed", () => {});
    const start = node.beam.ecosystems.spawnEcosystem({
      workers: { module: MODULE, export: "Nobody", count: 1 },
    });
    await expect(start).rejects.toMatchObject({ code: "init_failed" });
    await expect.poll(() => node.isolates().length).toBe(1);
  });
});
