import type { FoundationOptions } from "foundation-runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FaultyCluster, until } from "./faulty-cluster.ts";

const BLOCKED_MS = 10_000;
/** One overlay of each strategy over one set of links. */
const OVERLAYS: NonNullable<FoundationOptions["overlays"]> = {
  mesh: { strategy: "fullMesh" },
  views: { strategy: "hyparview", activeMax: 3 },
  served: { strategy: "clientServer", role: "server" },
  // The first node is everybody's seed: whatever two others say goes through it.
  star: { strategy: "static" },
};
const NAMES = Object.keys(OVERLAYS);
const HUB = 0;

let cluster: FaultyCluster;
beforeAll(async () => {
  cluster = await FaultyCluster.open(6, { overlays: OVERLAYS });
  const { nodes } = cluster;
  await Promise.all(nodes.map(async (node) => node.startBulletins([], NAMES)));
  await Promise.all(
    nodes.map(async (node, at) => {
      const others = cluster.others(at).map((other) => cluster.node(other).name);
      await node.startBulletins(others, NAMES);
    }),
  );
});
afterAll(async () => {
  await cluster?.close();
});

/** Broadcasts that each of these has heard of each of those, over each of the overlays. */
async function heard(
  by: readonly number[],
  from: readonly number[],
  overlays: readonly string[],
): Promise<number[]> {
  const reports = await Promise.all(by.map(async (at) => cluster.node(at).bulletins()));
  return overlays.flatMap((overlay) =>
    by.flatMap((at, index) => {
      const others = from.filter((other) => other !== at).map((other) => cluster.node(other).name);
      return others.map((name) => reports[index]?.heard[overlay]?.[name]?.count ?? 0);
    }),
  );
}

/** Resolves once each of these has heard more broadcasts of each of those. */
async function hearMore(
  by: readonly number[],
  from: readonly number[],
  overlays: readonly string[] = NAMES,
  more: number = 20,
): Promise<void> {
  const before = await heard(by, from, overlays);
  let now = before;
  await until(
    async () => {
      now = await heard(by, from, overlays);
      return now.every((count, index) => count >= (before[index] ?? 0) + more);
    },
    () => `${more} more broadcasts of ${from.join()} at ${by.join()}: ${before} and now ${now}`,
  );
}

async function expectNoneDoubled(): Promise<void> {
  for (const node of cluster.nodes) {
    for (const senders of Object.values((await node.bulletins()).heard)) {
      for (const { doubled } of Object.values(senders)) expect(doubled).toBe(0);
    }
  }
}

describe("six nodes with an overlay of each strategy", () => {
  test("broadcast through one whose event loop is blocked for 10 s; nobody is down", async () => {
    const others = cluster.others(HUB);
    const since = cluster.sightings.length;
    await hearMore(cluster.others(), cluster.others());
    await cluster.node(HUB).block(BLOCKED_MS);
    await cluster.allSee("busy", others, [HUB], since);
    await hearMore(others, others);
    // All of that was before it could have forwarded anything itself.
    expect(cluster.seen("idle", others, [HUB], since)).toEqual([]);
    await cluster.allSee("idle", others, [HUB], since);
    await hearMore([HUB], others);
    await hearMore(others, [HUB]);
    expect(cluster.seen("down", cluster.others(), cluster.others(), since)).toEqual([]);
    await expectNoneDoubled();
  });

  // Partisan can do so to HyParView alone (#18).
  test("#18: are cut in two in every overlay, and are one again in every overlay", async () => {
    const [left, right] = [
      [0, 1, 2],
      [3, 4, 5],
    ] as const;
    const since = cluster.sightings.length;
    await cluster.network.between(left, right, { cut: true });
    await Promise.all([
      cluster.allSee("down", left, right, since),
      cluster.allSee("down", right, left, since),
    ]);
    const across = async (): Promise<number[]> => [
      ...(await heard(left, right, NAMES)),
      ...(await heard(right, left, NAMES)),
    ];
    const before = await across();
    await hearMore(left, left);
    // The others have lost the middle of their star.
    await hearMore(right, right, ["mesh", "views", "served"]);
    expect(await across()).toEqual(before);
    expect(cluster.seen("down", left, left, since)).toEqual([]);
    expect(cluster.seen("down", right, right, since)).toEqual([]);
    await cluster.network.heal();
    await cluster.allSeeAll();
    await hearMore(cluster.others(), cluster.others());
    await expectNoneDoubled();
  });
});
