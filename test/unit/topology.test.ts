import { describe, expect, test } from "vitest";
import type { TopologyEvents } from "../../ts/distributed/topology/topology-types.ts";
import { topologyScene } from "./topology-scene.ts";

describe("current", () => {
  test("has members and overlays of one moment", () => {
    const { node, topology } = topologyScene({}, { control: "fullMesh", data: "hyparview" });
    node.resize(3);
    expect(topology.current()).toMatchObject({
      node: "b",
      size: 3,
      members: [{ name: "node-0" }, { name: "node-1" }],
      overlays: [
        { name: "control", strategy: "fullMesh", epoch: 0, switchingTo: undefined },
        { name: "data", strategy: "hyparview" },
      ],
    });
  });

  test("says where there are no overlays", () => {
    const { topology } = topologyScene({}, {});
    expect(() => topology.current()).toThrow(expect.objectContaining({ code: "no_overlays" }));
  });
});

describe("analyze", () => {
  test("has what was counted, the rule that fits, and why", async () => {
    const { node, clock, topology } = topologyScene();
    node.resize(20);
    node.members = node.members.map((member, at) => ({ ...member, roundTripUs: (at + 1) * 10 }));
    topology.analyze();
    node.sent = 600;
    clock.advance(2_000);
    const life = "1";
    node.events.emit("up", { name: "x", address: "", life, state: "up", self: false });
    node.events.emit("down", { name: "x", reason: "silent" });
    node.events.emit("up", { name: "x", address: "", life, state: "up", self: false });
    expect(topology.analyze()).toEqual({
      overlay: "data",
      proposal: "hyparview",
      rule: "above-enter",
      verdict: "switch",
      reason: "20 members are more than 16",
      inputs: {
        strategy: "fullMesh",
        epoch: 0,
        isSwitching: false,
        members: 20,
        servers: 0,
        actor: "b",
        churnPerMinute: 3,
        partitionsSeen: 1,
        roundTripUs: { members: 19, p50: 100, p90: 180, p99: 190 },
        channels: { default: { sentPerSecond: 300, receivedPerSecond: 0 } },
        ratesOverMs: 2_000,
      },
    });
  });

  test("forgets what was long ago", () => {
    const { node, clock, topology } = topologyScene();
    for (let second = 0; second < 300; second++) {
      node.sent += second < 200 ? 1_000 : 1;
      node.events.emit("down", { name: `left-${second}`, reason: "left" });
      topology.analyze();
      clock.advance(1_000);
    }
    const { inputs } = topology.analyze();
    expect(inputs.ratesOverMs).toBe(60_000);
    expect(inputs.channels["default"]?.sentPerSecond).toBeCloseTo(59 / 60, 5);
    expect(inputs.churnPerMinute).toBeGreaterThanOrEqual(54);
    expect(inputs.churnPerMinute).toBeLessThanOrEqual(60);
    expect(inputs.partitionsSeen).toBe(0);
  });

  test("asks which overlay, where there are several", () => {
    const { topology } = topologyScene({}, { control: "fullMesh", data: "hyparview" });
    expect(() => topology.analyze()).toThrow(
      expect.objectContaining({
        code: "invalid_options",
        message: "`overlay` has to be one of 'control', 'data'",
      }),
    );
    expect(() => topology.analyze({ overlay: "dta" })).toThrow(
      expect.objectContaining({ code: "unknown_overlay" }),
    );
    expect(topology.analyze({ overlay: "control" }).rule).toBe("below-leave");
  });
});

describe("switchTopology", () => {
  test("makes one, tells of it once and writes it down", async () => {
    const { node, topology } = topologyScene();
    const told: TopologyEvents["switched"][] = [];
    topology.on("switched", (record) => told.push(record));
    const record = await topology.switchTopology("fullMesh", "hyparview", { timeoutMs: 5_000 });
    expect(record).toMatchObject({
      kind: "switch",
      overlay: "data",
      from: "fullMesh",
      to: "hyparview",
      epoch: 1,
      outcome: "switched",
      origin: "caller",
      rule: undefined,
      reason: "asked for",
      durationMs: 0,
      inputs: { members: 1, strategy: "fullMesh" },
    });
    expect(node.asked).toEqual([
      ["data", "fullMesh", { strategy: "hyparview" }, { epoch: 0, timeoutMs: 5_000 }],
    ]);
    expect(told).toEqual([record]);
    expect(topology.history()).toEqual([record]);
    expect(topology.current().overlays[0]).toMatchObject({ strategy: "hyparview", epoch: 1 });
  });

  test("compares first", async () => {
    const { node, topology } = topologyScene();
    await expect(topology.switchTopology("hyparview", "fullMesh")).rejects.toMatchObject({
      code: "topology_mismatch",
      context: { overlay: "data", expected: "hyparview", actual: "fullMesh", epoch: 0 },
    });
    expect(node.asked).toEqual([]);
    expect(topology.history()).toEqual([]);
  });

  test("compares again where it is made", async () => {
    const { node, topology } = topologyScene();
    const original = node.switchOverlay.bind(node);
    node.switchOverlay = async (...asked) => {
      node.become("data", "static");
      return original(...asked);
    };
    await expect(topology.switchTopology("fullMesh", "hyparview")).rejects.toMatchObject({
      code: "topology_mismatch",
      context: { actual: "static", epoch: 1 },
    });
    expect(topology.history()).toMatchObject([{ outcome: "refused", origin: "caller" }]);
  });

  test("does nothing where the overlay runs that already", async () => {
    const { node, topology } = topologyScene();
    expect(await topology.switchTopology("fullMesh")).toMatchObject({ outcome: "unchanged" });
    expect(node.asked).toEqual([]);
    // With options it is another one.
    await topology.switchTopology({ strategy: "fullMesh" });
    expect(node.asked).toHaveLength(1);
  });

  test("says that one is under way", async () => {
    const { node, topology } = topologyScene();
    let end = (): void => {};
    node.ends = async () => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      return "switched";
    };
    const first = topology.switchTopology("hyparview");
    await expect(topology.switchTopology("static" as never)).rejects.toMatchObject({
      code: "switch_under_way",
    });
    expect(topology.analyze()).toMatchObject({ rule: "switch-under-way", verdict: "keep" });
    end();
    expect(await first).toMatchObject({ outcome: "switched" });
  });

  test("says why one was rolled back, and that all is as before", async () => {
    const { node, topology } = topologyScene();
    const failed: TopologyEvents["switchFailed"][] = [];
    topology.on("switchFailed", (record) => failed.push(record));
    node.ends = async () => "rolled_back";
    await expect(topology.switchTopology("hyparview")).rejects.toMatchObject({
      code: "switch_failed",
      message: "'data' runs fullMesh as before, and not hyparview: not connected in time",
    });
    expect(failed).toMatchObject([{ outcome: "rolled_back", reason: "not connected in time" }]);
    expect(topology.history()).toEqual(failed);
  });

  test("that nobody waits for any more is written down when it ends", async () => {
    const { node, topology } = topologyScene();
    let end = (): void => {};
    const original = node.switchOverlay.bind(node);
    node.switchOverlay = async (...asked) => {
      node.ends = async () => {
        await new Promise<void>((resolve) => {
          end = resolve;
        });
        return "switched";
      };
      void original(...asked);
      throw Object.assign(new Error("late"), { code: "timeout" });
    };
    await expect(topology.switchTopology("hyparview")).rejects.toMatchObject({ code: "timeout" });
    expect(topology.history()).toEqual([]);
    end();
    await expect
      .poll(() => topology.history())
      .toMatchObject([
        { outcome: "switched", origin: "caller", from: "fullMesh", to: "hyparview" },
      ]);
  });

  test("of another node is written down too", () => {
    const { node, topology } = topologyScene();
    topology.current();
    node.become("data", "hyparview");
    const told = { overlay: "data", outcome: "switched", epoch: 1, reason: "" } as const;
    node.events.emit("overlaySwitch", told);
    node.events.emit("overlaySwitch", told);
    expect(topology.history()).toMatchObject([
      { from: "fullMesh", to: "hyparview", epoch: 1, origin: "member", durationMs: undefined },
    ]);
  });

  test.each([
    [{ overlay: "dta" }, "unknown_overlay"],
    [{ timeoutMs: -1 }, "invalid_options"],
    [{ tiemoutMs: 1 }, "invalid_options"],
  ])("refuses %j", async (options, code) => {
    const { topology } = topologyScene();
    await expect(topology.switchTopology("hyparview", options as object)).rejects.toMatchObject({
      code,
    });
  });
});

describe("optimizeForWorkload", () => {
  test.each([
    [30, "lowLatency", "keep", "fullMesh", "below-leave"],
    [50, "highThroughput", "keep", "fullMesh", "within-band"],
    [61, "lowLatency", "switch", "hyparview", "above-enter"],
    [12, "broadcast", "switch", "hyparview", "above-enter"],
    [12, "clientServer", "keep", "fullMesh", "within-band"],
    [30, "clientServer", "switch", "hyparview", "above-enter"],
  ] as const)("of %i members for %s: %s", async (members, workload, verdict, proposal, rule) => {
    const { node, topology } = topologyScene();
    node.resize(members);
    const advice = await topology.optimizeForWorkload(workload);
    expect(advice).toMatchObject({ workload, verdict, proposal, rule, applied: undefined });
    expect(advice.because).not.toBe("");
    expect(node.asked).toEqual([]);
  });

  test("changes the overlay where it is told to, whoever acts, whatever was before", async () => {
    const { node, topology } = topologyScene();
    node.resize(12);
    node.members = [{ name: "a" }, ...node.members];
    await topology.switchTopology({ strategy: "fullMesh" });
    const advice = await topology.optimizeForWorkload("broadcast", { apply: true });
    expect(advice.applied).toMatchObject({
      outcome: "switched",
      origin: "workload",
      rule: "above-enter",
      reason: "broadcast: 13 members are more than 10",
    });
    const again = await topology.optimizeForWorkload("broadcast", { apply: true });
    expect(again).toMatchObject({ verdict: "keep", applied: undefined });
  });

  test("proposes servers only where they are declared", async () => {
    const { node, topology } = topologyScene({ policy: { servers: ["node-3", "gone"] } });
    node.resize(30);
    const advice = await topology.optimizeForWorkload("clientServer", { apply: true });
    expect(advice).toMatchObject({ rule: "servers-declared", proposal: "clientServer" });
    expect(node.asked[0]?.[2]).toEqual({ strategy: "clientServer", role: "client" });
    node.become("data", "fullMesh");
    const direct = await topology.optimizeForWorkload("broadcast");
    expect(direct).toMatchObject({ rule: "above-enter", proposal: "hyparview" });
  });

  test("names the workloads that there are", async () => {
    const { topology } = topologyScene();
    await expect(topology.optimizeForWorkload("fast" as never)).rejects.toMatchObject({
      message: expect.stringContaining("lowLatency, highThroughput, broadcast, clientServer"),
    });
  });
});

describe("the policy", () => {
  test("is off unless it is asked for", () => {
    const { clock, topology } = topologyScene();
    expect(clock.pending).toBe(0);
    expect(topology.history()).toEqual([]);
  });

  test("tells every decision, and writes down those that are new", async () => {
    const { node, clock, topology } = topologyScene({ policy: { auto: true } });
    const decisions: TopologyEvents["decision"][] = [];
    topology.on("decision", (decision) => decisions.push(decision));
    node.resize(12);
    await clock.advanceAsync(90_000);
    expect(decisions).toHaveLength(3);
    expect(decisions[0]).toMatchObject({
      kind: "decision",
      overlay: "data",
      rule: "within-band",
      verdict: "keep",
      inputs: { members: 12 },
    });
    expect(topology.history()).toEqual(decisions.slice(0, 1));
    topology.close();
    await clock.advanceAsync(90_000);
    expect(decisions).toHaveLength(3);
  });

  test("switches, waits for its dwell time, and switches back", async () => {
    const policy = { auto: true, pollMs: 1_000, dwellMs: 10_000 };
    const { node, clock, topology } = topologyScene({ policy });
    node.resize(17);
    await clock.advanceAsync(1_000);
    node.resize(9);
    await clock.advanceAsync(9_000);
    expect(node.asked).toHaveLength(1);
    await clock.advanceAsync(1_000);
    expect(node.asked.map(([, from, { strategy }]) => [from, strategy])).toEqual([
      ["fullMesh", "hyparview"],
      ["hyparview", "fullMesh"],
    ]);
    const steps = topology.history().map((record) => {
      return record.kind === "switch" ? record.outcome : record.verdict;
    });
    expect(steps).toEqual(["switch", "switched", "wait", "switch", "switched"]);
    expect(topology.history().at(-1)).toMatchObject({ origin: "policy", rule: "below-leave" });
  });

  test("leaves an overlay alone for its dwell time after a switch by hand", async () => {
    const policy = { auto: true, pollMs: 1_000, dwellMs: 10_000 };
    const { node, clock, topology } = topologyScene({ policy });
    node.resize(20);
    await topology.switchTopology("hyparview");
    await topology.switchTopology("fullMesh"); // no cooldown by hand
    await clock.advanceAsync(9_000);
    expect(node.asked).toHaveLength(2);
    await clock.advanceAsync(1_000);
    expect(node.asked).toHaveLength(3);
  });

  test("tries again after its dwell time where a switch failed", async () => {
    const policy = { auto: true, pollMs: 1_000, dwellMs: 10_000 };
    const { node, clock, topology } = topologyScene({ policy });
    node.ends = async () => "rolled_back";
    node.resize(20);
    await clock.advanceAsync(10_000);
    expect(node.asked).toHaveLength(1);
    expect(topology.history().at(-1)).toMatchObject({ verdict: "wait" });
    await clock.advanceAsync(1_000);
    expect(node.asked).toHaveLength(2);
  });

  test("leaves it to the member with the lowest name", async () => {
    const { node, clock, topology } = topologyScene({ policy: { auto: true, pollMs: 1_000 } });
    node.resize(20);
    node.members = [{ name: "a" }, ...node.members];
    await clock.advanceAsync(5_000);
    expect(node.asked).toEqual([]);
    expect(topology.history()).toMatchObject([
      { verdict: "defer", reason: "21 members are more than 16; 'a' acts" },
    ]);
  });

  test("looks after the overlays that it is given, and after no static one", async () => {
    const policy = { auto: true, pollMs: 1_000, overlays: ["data", "links"] };
    const overlays = { control: "fullMesh", data: "fullMesh", links: "static" } as const;
    const { node, clock } = topologyScene({ policy }, overlays);
    node.resize(20);
    await clock.advanceAsync(5_000);
    expect(node.asked.map(([name]) => name)).toEqual(["data"]);
  });

  test("goes to servers while one is there, and away when none is", async () => {
    const policy = { auto: true, pollMs: 1_000, dwellMs: 0, servers: ["b", "node-1"] };
    const { node, clock, topology } = topologyScene({ policy });
    node.resize(20);
    await clock.advanceAsync(1_000);
    expect(node.asked[0]?.[2]).toEqual({ strategy: "clientServer", role: "server" });
    expect(topology.analyze()).toMatchObject({ verdict: "keep", rule: "servers-declared" });
  });

  test("runs once in an isolate", () => {
    const { topology } = topologyScene();
    const stop = topology.startPolicy();
    expect(() => topology.startPolicy()).toThrow(
      expect.objectContaining({ code: "invalid_options" }),
    );
    stop();
    topology.startPolicy()();
  });

  test.each([
    { pollMs: 1 },
    { dwellMs: -1 },
    { enterAboveMembers: 10, leaveBelowMembers: 10 },
    { servers: "b" },
    { overlays: [1] },
    { auto: 1 },
    { dwelMs: 1 },
  ])("refuses %j", (policy) => {
    expect(() => topologyScene({ policy: policy as object })).toThrow(
      expect.objectContaining({ code: "invalid_options" }),
    );
  });
});

test("a history has its length", async () => {
  const { topology } = topologyScene({ historyMax: 3 });
  for (let turn = 0; turn < 5; turn++) await topology.switchTopology({ strategy: "fullMesh" });
  expect(topology.history()).toMatchObject([{ epoch: 3 }, { epoch: 4 }, { epoch: 5 }]);
  expect(() => topologyScene({ historyMax: 0 })).toThrow(
    expect.objectContaining({ code: "invalid_options" }),
  );
});
