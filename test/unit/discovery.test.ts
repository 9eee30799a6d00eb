import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { DiscoveryScene } from "./discovery-scene.ts";

const A = "10.0.0.2:7000";
const B = "10.0.0.3:7000";
const C = "10.0.0.4:7000";
const EMPTY = { candidates: [], isComplete: true };

const down = (): FoundationError => new FoundationError("discovery_failed", "the source is down");

/** A search whose two members are up. */
async function settled(
  options: ConstructorParameters<typeof DiscoveryScene>[0] = {},
): Promise<DiscoveryScene> {
  const scene = new DiscoveryScene(options);
  scene.node.answering.set(A, "a").set(B, "b");
  scene.source.says(A, B);
  await scene.pass(1_000);
  expect(scene.node.members().map(({ name }) => name)).toEqual(["a", "b"]);
  return scene;
}

describe("a source", () => {
  test("that fails takes nobody away, and is asked again after growing pauses", async () => {
    const scene = await settled();
    const pauses: number[] = [];
    scene.discovery.on("sourceFailed", ({ retryInMs }) => pauses.push(retryInMs));
    for (let failure = 0; failure < 9; failure += 1) {
      scene.source.tells(down());
      await scene.pass(60_000);
    }
    expect(pauses).toEqual([1_000, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000]);
    expect(scene.node.members()).toHaveLength(2);
    expect(scene.node.forgotten).toEqual([]);
    const { state, sources } = scene.discovery.status();
    expect(state).toBe("degraded");
    expect(sources[0]).toMatchObject({
      state: "failing",
      failures: 9,
      failuresInARow: 9,
      candidates: 2,
      lastError: { code: "discovery_failed", message: "the source is down" },
    });
    scene.source.says(A, B);
    await scene.pass(60_000);
    expect(scene.events("sourceRecovered")).toEqual([{ source: "spoken 0", failures: 9 }]);
    expect(scene.discovery.status()).toMatchObject({ state: "healthy" });
  });

  test("that answers nobody takes nobody away, whatever the policy", async () => {
    for (const prune of ["never", "grace", "immediate"] as const) {
      const scene = await settled({ prune, graceMs: 1_000 });
      scene.source.tells(EMPTY, EMPTY);
      await scene.pass(600_000);
      expect(scene.node.members()).toHaveLength(2);
      expect(scene.discovery.status()).toMatchObject({
        state: "degraded",
        sources: [{ state: "empty", candidates: 2 }],
      });
    }
  });

  test("that has this node alone has answered well", async () => {
    const scene = new DiscoveryScene({ use: "failover" }, { sources: 2 });
    scene.source.tells({ candidates: [], isComplete: true, knowsSelf: true });
    await scene.pass(600_000);
    const { state, sources } = scene.discovery.status();
    expect([state, ...sources.map((one) => one.state)]).toEqual(["healthy", "healthy", "standby"]);
    expect(scene.events("candidates")).toMatchObject([{ candidates: 0, isEmpty: false }]);
  });

  test("that flaps waits longer each time, though it answers in between", async () => {
    const scene = await settled();
    const pauses: number[] = [];
    scene.discovery.on("sourceFailed", ({ retryInMs }) => pauses.push(retryInMs));
    await scene.pass(10_000);
    for (let failure = 0; failure < 4; failure += 1) {
      scene.source.says(A, B);
      scene.source.tells(down());
      await scene.pass(10_000);
    }
    expect(pauses).toEqual([1_000, 1_500, 3_000, 6_000]);
  });

  test("takes back what it was told of this node when the search ends", async () => {
    const scene = await settled();
    await scene.discovery.stop();
    expect(scene.source.closed).toBe(1);
    expect(scene.discovery.status()).toMatchObject({ state: "off", sources: [] });
    expect(scene.node.members()).toHaveLength(2);
    scene.node.fall("a", "silent");
    await scene.pass(600_000);
    expect(scene.clock.pending).toBe(0);
  });
});

describe("a candidate", () => {
  test("that does not answer is dialled again after pauses, and is no seed meanwhile", async () => {
    const scene = new DiscoveryScene({});
    scene.source.says(C);
    await scene.pass(10_000);
    expect(scene.node.dialled).toEqual([C, C, C, C]); // at 0, 1, 2.5 and 5.5 s
    expect(scene.node.forgotten).toHaveLength(4);
    const failure = { address: C, error: { code: "discovery_failed" }, retryInMs: 1_000 };
    expect(scene.events("dialFailed")[0]).toMatchObject(failure);
    expect(scene.discovery.status().candidates[0]).toMatchObject({ state: "waiting", failures: 4 });
  });

  test("that others tell of needs no dial", async () => {
    const scene = new DiscoveryScene({ dialsMax: 1 });
    scene.node.answering.set(A, "a").set(B, "b").set(C, "c");
    scene.node.on("up", ({ name }) => {
      if (name !== "a") return;
      scene.node.rise("b", B);
      scene.node.rise("c", C);
    });
    scene.source.says(A, B, C);
    await scene.pass(60_000);
    expect(scene.node.dialled).toEqual([A]);
    expect([A, B, C].map((address) => scene.stateOf(address))).toEqual(Array(3).fill("member"));
  });

  test("finds no room beyond 4,096 of all sources, and that is counted", async () => {
    const scene = new DiscoveryScene({ dialsMax: 1 });
    for (let block = 0; block < 5; block += 1) {
      const at = (one: number): string => `10.${block + 1}.${one >> 8}.${one & 255}:7000`;
      scene.source.says(...Array.from({ length: 1_024 }, (_, one) => at(one)));
    }
    await scene.pass(0);
    const { candidates, refused } = scene.discovery.status();
    expect([candidates.length, refused]).toEqual([4_096, 1_024]);
    await scene.discovery.stop();
  });

  test("is dialled beside no more than dialsMax others", async () => {
    const scene = new DiscoveryScene({ dialsMax: 2 });
    const addresses = Array.from({ length: 20 }, (_, at) => `10.0.1.${at + 1}:7000`);
    let underWay = 0;
    let most = 0;
    scene.node.join = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => scene.clock.after(100, resolve));
      underWay -= 1;
      throw new Error("nobody");
    };
    scene.source.says(...addresses);
    await scene.pass(2_000);
    expect(most).toBe(2);
    expect(scene.events("dialFailed").length).toBeGreaterThanOrEqual(20);
  });

  test("that has left in good order is left alone until it is listed anew", async () => {
    const scene = await settled({ leftQuietMs: 30_000 });
    const dials = scene.node.dialled.length;
    scene.node.fall("a", "left");
    await scene.pass(29_000);
    expect(scene.stateOf(A)).toBe("left");
    expect(scene.node.dialled).toHaveLength(dials);
    scene.source.says(B);
    scene.source.says(A, B);
    await scene.pass(2_500);
    expect(scene.node.dialled).toHaveLength(dials + 1);
    expect(scene.stateOf(A)).toBe("member");
  });

  test("that the source says is draining is not dialled", async () => {
    const scene = new DiscoveryScene({});
    scene.node.answering.set(A, "a");
    const candidates = [{ address: A, isDraining: true }];
    scene.source.tells({ candidates, isComplete: true });
    await scene.pass(60_000);
    expect(scene.node.dialled).toEqual([]);
    expect(scene.stateOf(A)).toBe("draining");
    scene.source.says(A);
    await scene.pass(1_000);
    expect(scene.stateOf(A)).toBe("member");
  });

  test("that is this node is found out by its dial, once", async () => {
    const scene = new DiscoveryScene({});
    scene.node.join = async ([address = ""]) => {
      scene.node.dialled.push(address);
      scene.node.failDial(address, "self_dial");
      throw new FoundationError("join_failed", "it is this node");
    };
    scene.source.says(C);
    await scene.pass(600_000);
    expect(scene.node.dialled).toEqual([C]);
    expect(scene.stateOf(C)).toBe("self");
  });

  test("whose member is lost is looked for, and how long that takes is measured", async () => {
    const scene = await settled();
    scene.node.answering.delete(A);
    scene.node.fall("a", "silent");
    await scene.pass(10_000);
    expect(scene.node.forgotten).toEqual([]); // the core looks for it as well
    scene.node.answering.set(A, "a");
    await scene.pass(60_000);
    const [event] = scene.events("reconnected") as { name: string; tookMs: number }[];
    expect(event).toMatchObject({ name: "a" });
    const { reconnects } = scene.discovery.status();
    expect(reconnects).toEqual({ count: 1, lastMs: event?.tookMs, longestMs: event?.tookMs });
    expect(event?.tookMs).toBeGreaterThan(10_000);
  });
});

describe("who is listed no more", () => {
  test("stays with `never`, and is dialled on", async () => {
    const scene = await settled({ prune: "never" });
    scene.source.says(B);
    await scene.pass(600_000);
    expect(scene.node.members()).toHaveLength(2);
    scene.node.fall("a", "silent");
    await scene.pass(10_000);
    expect(scene.stateOf(A)).toBe("member");
    expect(scene.events("pruned")).toEqual([]);
  });

  test("is forgotten with `grace` when it was gone long enough and is down as well", async () => {
    const scene = await settled({ graceMs: 60_000 });
    scene.source.says(B);
    await scene.pass(600_000);
    expect(scene.stateOf(A)).toBe("member"); // gone from the source, but alive
    scene.node.fall("a", "silent");
    const pruned = { address: A, wasUp: false, sources: ["spoken 0"] };
    await scene.pass(1_000);
    expect(scene.events("pruned")).toMatchObject([pruned]);
    expect(scene.node.forgotten).toContainEqual({ address: A, hangUp: false });
    expect(scene.discovery.status()).toMatchObject({ pruned: 1 });
  });

  test("and is down at once is waited for until the grace is over", async () => {
    const scene = await settled({ graceMs: 60_000 });
    scene.node.answering.delete(A);
    scene.node.fall("a", "silent");
    scene.source.says(B);
    await scene.pass(58_000);
    expect(scene.events("pruned")).toEqual([]);
    await scene.pass(3_000);
    expect(scene.events("pruned")).toHaveLength(1);
  });

  test("is hung up on with `immediate`", async () => {
    const scene = await settled({ prune: "immediate" });
    scene.source.says(B);
    await scene.pass(1_000);
    expect(scene.node.members().map(({ name }) => name)).toEqual(["b"]);
    expect(scene.events("pruned")).toMatchObject([{ address: A, wasUp: true, answer: true }]);
    expect(scene.stateOf(A)).toBeUndefined();
  });

  test("stays where another source has it, and the most cautious policy decides", async () => {
    const scene = new DiscoveryScene({ prune: "immediate" }, { sources: 2 });
    const [first, second] = scene.sources;
    scene.node.answering.set(A, "a").set(B, "b");
    first?.says(A, B);
    second?.says(A);
    await scene.pass(1_000);
    first?.says(B);
    await scene.pass(10_000);
    expect(scene.node.members()).toHaveLength(2);
    second?.tells(down());
    await scene.pass(600_000);
    expect(scene.node.members()).toHaveLength(2);
  });

  test("and came in single heartbeats is forgotten when it is silent and down", async () => {
    const scene = new DiscoveryScene({ graceMs: 30_000 });
    scene.node.answering.set(A, "a");
    scene.source.tells({ candidates: [{ address: A, name: "a@host" }], isComplete: false });
    await scene.pass(300_000);
    expect(scene.stateOf(A)).toBe("member");
    scene.node.answering.delete(A);
    scene.node.fall("a", "silent");
    await scene.pass(1_000);
    expect(scene.stateOf(A)).toBeUndefined();
  });

  test("links are not ended by hand where overlays decide about them", () => {
    const open = (): unknown => new DiscoveryScene({ prune: "immediate" }, { hasOverlays: true });
    expect(open).toThrow(expect.objectContaining({ code: "invalid_options" }));
  });
});

describe("fail-over", () => {
  test("asks the next source while those before are silent, and rests else", async () => {
    const scene = new DiscoveryScene({ use: "failover", failoverAfterMs: 15_000 }, { sources: 3 });
    const [first, second, third] = scene.sources;
    const states = (): string[] => scene.discovery.status().sources.map(({ state }) => state);
    first?.tells(down());
    await scene.pass(14_000);
    expect(states()).toEqual(["failing", "standby", "standby"]);
    await scene.pass(2_000);
    second?.says(A);
    await scene.pass(1_000);
    expect(states()).toEqual(["failing", "healthy", "standby"]);
    await scene.pass(600_000);
    expect(third?.runs).toBe(0);
    first?.says(A);
    await scene.pass(1_000);
    expect(states()).toEqual(["healthy", "standby", "standby"]);
  });
});
