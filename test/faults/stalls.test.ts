import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amiss, FaultyCluster } from "./faulty-cluster.ts";

const BLOCKED_MS = 10_000;

let cluster: FaultyCluster;
beforeAll(async () => {
  cluster = await FaultyCluster.open(5);
  await cluster.talk();
});
afterAll(async () => {
  await cluster?.close();
});

describe("one of five nodes", () => {
  test("whose event loop is blocked for 10 s is busy, never down, and loses nothing", async () => {
    const blocked = 2;
    const others = cluster.others(blocked);
    const since = cluster.sightings.length;
    const lostBefore = amiss(await cluster.talked()).lost;
    await cluster.node(blocked).block(BLOCKED_MS);
    await cluster.allSee("busy", others, [blocked], since);
    await cluster.hearMore(others, others);
    expect(cluster.seen("idle", others, [blocked], since)).toEqual([]);
    await cluster.allSee("idle", others, [blocked], since);
    await cluster.hearMore([blocked], others, 200);
    await cluster.hearMore(others, [blocked]);
    expect(cluster.seen("down", cluster.others(), cluster.others(), since)).toEqual([]);
    const { lost, misordered, damaged } = amiss(await cluster.talked());
    expect({ lost, misordered, damaged }).toEqual({ lost: lostBefore, misordered: 0, damaged: 0 });
  });

  test("that is stopped is down for all, and up again once it goes on", async () => {
    const stopped = 3;
    const others = cluster.others(stopped);
    const since = cluster.sightings.length;
    const { life } = cluster.node(stopped);
    cluster.node(stopped).signal("SIGSTOP");
    await cluster.allSee("down", others, [stopped], since);
    await cluster.hearMore(others, others);
    expect(cluster.seen("down", others, others, since)).toEqual([]);
    cluster.node(stopped).signal("SIGCONT");
    await cluster.allSee("up", others, [stopped], since);
    await cluster.allSeeAll();
    await cluster.hearMore(cluster.others(), cluster.others());
    // The same run of the same program, which nobody takes for a later one.
    const views = await Promise.all(others.map(async (at) => cluster.node(at).members()));
    for (const view of views) {
      expect(view.find(({ name }) => name === `node-${stopped}`)?.life).toBe(life);
    }
    const { misordered, damaged } = amiss(await cluster.talked());
    expect({ misordered, damaged }).toEqual({ misordered: 0, damaged: 0 });
  });
});
