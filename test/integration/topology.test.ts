import {
  Distributed,
  type FoundationNode,
  type FoundationStartOptions,
  Providers,
} from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, within } from "./local-nodes.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

const NAMES = ["one", "two", "three", "four"];

async function startCluster(options: FoundationStartOptions = {}): Promise<FoundationNode[]> {
  const overlays = { data: { strategy: "fullMesh" } } as const;
  return nodes.startCluster(NAMES, { overlays, ...options });
}

const strategies = (all: readonly FoundationNode[]): string[] => {
  return all.map((node) => node.distributed.topology.current().overlays[0]!.strategy);
};

describe("a topology", () => {
  test("shows members and neighbours of a full mesh", async () => {
    const all = await startCluster();
    for (const node of all) {
      const others = NAMES.filter((name) => name !== node.name).sort();
      await expect
        .poll(() => {
          const [overlay] = node.distributed.topology.current().overlays;
          return overlay!.neighbours.map(({ name }) => name).sort();
        })
        .toEqual(others);
      const current = node.distributed.topology.current();
      expect(current).toMatchObject({ node: node.name, size: 4 });
      expect(current.members.map(({ name }) => name).sort()).toEqual(others);
      expect(current.overlays).toMatchObject([{ name: "data", strategy: "fullMesh", epoch: 0 }]);
    }
    expect(all[0]!.distributed.topology.analyze()).toMatchObject({
      overlay: "data",
      rule: "below-leave",
      verdict: "keep",
      inputs: { members: 4, actor: "four" },
    });
  });

  test("is switched on all members, compared before, and remembered by each", async () => {
    const all = await startCluster();
    const [one, two] = all.map((node) => node.distributed.topology);
    two!.current();
    const told = new Promise((resolve) => two!.on("switched", resolve));
    const done = await one!.switchTopology("fullMesh", "hyparview");
    expect(done).toMatchObject({ outcome: "switched", origin: "caller", epoch: 1 });
    await expect.poll(() => strategies(all)).toEqual(Array(4).fill("hyparview"));
    expect(await within(told as Promise<object>, "the switch")).toMatchObject({
      from: "fullMesh",
      to: "hyparview",
      origin: "member",
    });
    await expect(two!.switchTopology("fullMesh", "static")).rejects.toMatchObject({
      code: "topology_mismatch",
      context: { actual: "hyparview", epoch: 1 },
    });
    expect(one!.history()).toEqual([done]);
  });

  test("keeps one strategy where several nodes want another at once", async () => {
    const all = await startCluster();
    const ends = await Promise.allSettled(
      all.map(async (node) => node.distributed.topology.switchTopology("fullMesh", "hyparview")),
    );
    expect(ends.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
    for (const end of ends) {
      if (end.status === "fulfilled") continue;
      const { code } = end.reason as { code: string };
      expect(["topology_mismatch", "switch_under_way", "switch_failed"]).toContain(code);
    }
    await expect.poll(() => new Set(strategies(all)).size, { timeout: 20_000 }).toBe(1);
  });

  test("is what its policy says", async () => {
    const policy = {
      auto: true,
      pollMs: 50,
      dwellMs: 0,
      leaveBelowMembers: 2,
      enterAboveMembers: 3,
    };
    const all = await startCluster();
    const stops = all.map((node) => node.distributed.topology.startPolicy(policy));
    await expect
      .poll(() => strategies(all), { timeout: 20_000 })
      .toEqual(Array(4).fill("hyparview"));
    for (const stop of stops) stop();
    const actor = all.find(({ name }) => name === "four")!;
    expect(actor.distributed.topology.history()).toMatchObject([
      { kind: "decision", rule: "above-enter", verdict: "switch" },
      { kind: "switch", origin: "policy", rule: "above-enter", outcome: "switched" },
    ]);
  });

  test("of a node without overlays says so", async () => {
    const node = await nodes.start({});
    expect(() => node.distributed.topology.current()).toThrow(
      expect.objectContaining({ code: "no_overlays" }),
    );
    await expect(
      nodes.start({ topology: { policy: { pollMs: 0 } } } as FoundationStartOptions),
    ).rejects.toMatchObject({ code: "invalid_options" });
  });
});

describe("a child of a supervisor", () => {
  test("makes overlays what they are to be, once, and ends with its policy", async () => {
    const all = await startCluster();
    const [first] = all;
    const { topology } = first!.distributed;
    const { supervisors, processes } = first!.beam;
    const wanted = { strategy: "hyparview", discovery: [all[1]!.address] };
    const child = {
      id: "topology",
      start: Distributed.Topology,
      args: [{ overlays: { data: wanted }, policy: { pollMs: 60_000 } }],
    };
    const supervisor = await supervisors.start({ children: [child] });
    expect(topology.current().overlays[0]!.strategy).toBe("hyparview");
    expect(() => topology.startPolicy()).toThrow(/runs already/);
    // As long as the last switch is ending on other members, none begins.
    await expect
      .poll(
        async () => {
          const end = await topology.switchTopology("fullMesh").catch((error: unknown) => error);
          const { outcome, code } = end as { outcome?: string; code?: string };
          return outcome ?? code;
        },
        { timeout: 30_000 },
      )
      .toBe("switched");
    const [before] = await supervisors.whichChildren(supervisor);
    processes.exit(before!.pid!, "kill");
    await expect
      .poll(async () => (await supervisors.whichChildren(supervisor))[0]?.pid?.equals(before!.pid!))
      .toBe(false);
    expect(topology.current().overlays[0]!.strategy).toBe("fullMesh");
    await supervisors.stop(supervisor);
    topology.startPolicy()();
  });

  test("looks for other nodes as `Foundation.start` does", async () => {
    const overlays = { appCluster: { strategy: "fullMesh" } } as const;
    const place = { cluster: "found-by-child", overlays };
    const there = await nodes.start({ ...place, name: "there" });
    const node = await nodes.start({ ...place, name: "looking" });
    const discovery = Providers.static({ addresses: [there.address] });
    const child = {
      id: "topology",
      start: Distributed.Topology,
      args: [{ overlays: { appCluster: { strategy: "hyparview", discovery } } }],
    };
    const supervisor = await node.beam.supervisors.start({ children: [child] });
    await node.awaitReady({ minimumMembers: 2, joinedExisting: true });
    expect(node.distributed.discovery.status()).toMatchObject({
      candidates: [{ address: there.address, state: "member" }],
    });
    await node.beam.supervisors.stop(supervisor);
    const wrong = [{ overlays: { appCluster: { strategy: "hyparview", discovery: "automatic" } } }];
    const children = [{ id: "topology", start: Distributed.Topology, args: wrong }];
    await expect(node.beam.supervisors.start({ children })).rejects.toThrow(/discovery/);
  });

  test("makes it so although each node has one", async () => {
    const all = await startCluster();
    const child = {
      id: "topology",
      start: Distributed.Topology,
      args: [{ overlays: { data: { strategy: "hyparview" } } }],
    };
    await Promise.all(all.map(async ({ beam }) => beam.supervisors.start({ children: [child] })));
    expect(strategies(all)).toEqual(Array(4).fill("hyparview"));
  });

  test.each([
    [{ overlays: { dta: { strategy: "hyparview" } } }, "unknown_overlay"],
    [{ overlays: { data: {} } }, "invalid_options"],
    [{ overlay: {} }, "invalid_options"],
    [{ policy: { pollMs: 0 } }, "invalid_options"],
  ])("does not start with %j", async (options, code) => {
    const [first] = await startCluster();
    const start = first!.beam.supervisors.start({
      children: [{ id: "topology", start: Distributed.Topology, args: [options] }],
    });
    let error: unknown = await start.catch((thrown: unknown) => thrown);
    // The failure of the child's start is that of the supervisor's.
    while ((error as { code?: string }).code === "init_failed") error = (error as Error).cause;
    expect(error).toMatchObject({ code });
  });
});
