import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amiss, FaultyCluster, until } from "./faulty-cluster.ts";

const CUT = { cut: true };
/** Two halves, and one node that reaches both where a test says so. */
const HALVES = [
  [0, 1, 2],
  [4, 5, 6],
] as const;
const BRIDGE = 3;

let cluster: FaultyCluster;
// One cluster lives through all of it: each test ends with everybody back.
beforeAll(async () => {
  cluster = await FaultyCluster.open(7);
  await cluster.talk();
});
afterAll(async () => {
  await cluster?.close();
});

/** Everybody is back, hears everybody, and has heard nothing twice or out of order. */
async function expectRecovery(): Promise<void> {
  await cluster.network.heal();
  await cluster.allSeeAll();
  await cluster.hearMore(cluster.others(), cluster.others());
  const { misordered, damaged } = amiss(await cluster.talked());
  expect({ misordered, damaged }).toEqual({ misordered: 0, damaged: 0 });
}

/** Links of a node that ended because nothing came any more. */
async function silentLinks(at: number): Promise<number> {
  return (await cluster.node(at).metrics()).linksEnded["silent"] ?? 0;
}

/** Frames that cuts have swallowed in one direction. */
async function swallowed(from: number, to: number): Promise<number> {
  const { directions } = await cluster.network.census();
  return directions.find((it) => it.from === from && it.to === to)?.cut ?? 0;
}

/** Files that the process of a node has open, sockets among them. */
function openFiles(at: number): number {
  return readdirSync(`/proc/${cluster.node(at).child.pid}/fd`).length;
}

describe("seven nodes", () => {
  test("that are cut in two go on in both parts, and are one again when it heals", async () => {
    const minority = [0, 1, 2];
    const majority = cluster.others(...minority);
    const since = cluster.sightings.length;
    await cluster.network.between(minority, majority, CUT);
    await Promise.all([
      cluster.allSee("down", minority, majority, since),
      cluster.allSee("down", majority, minority, since),
    ]);
    for (const part of [minority, majority]) {
      await cluster.hearMore(part, part);
      expect(cluster.seen("down", part, part, since)).toEqual([]);
    }
    expect(await swallowed(0, BRIDGE)).toBeGreaterThan(0);
    expect(await swallowed(BRIDGE, 0)).toBeGreaterThan(0);
    await expectRecovery();
    // One fall and one rise, whoever looks at whom: nobody comes and goes.
    for (const at of minority) {
      for (const of of majority) {
        expect(cluster.seen("down", [at], [of], since)).toHaveLength(1);
        expect(cluster.seen("up", [at], [of], since)).toHaveLength(1);
      }
    }
  });

  test("of which one does not hear another leave all other pairs alone", async () => {
    const since = cluster.sightings.length;
    const silentBefore = await silentLinks(1);
    await cluster.network.direct([0], [1], CUT);
    await until(
      async () => (await silentLinks(1)) > silentBefore,
      () => "an end of the link that heard nothing",
    );
    await cluster.hearMore(cluster.others(0, 1), cluster.others());
    await cluster.hearMore([0, 1], cluster.others(0, 1));
    const pair = [
      ...cluster.seen("down", [0], [1], since),
      ...cluster.seen("down", [1], [0], since),
    ];
    const all = cluster.seen("down", cluster.others(), cluster.others(), since);
    expect(all).toHaveLength(pair.length);
    expect(await swallowed(0, 1)).toBeGreaterThan(0);
    expect(await swallowed(1, 0)).toBe(0);
    await expectRecovery();
  });

  test("whose halves one node bridges lose neither it nor their own half", async () => {
    const since = cluster.sightings.length;
    const [left, right] = HALVES;
    const before = await Promise.all(cluster.others().map(silentLinks));
    await cluster.network.between(left, right, CUT);
    await until(
      async () => {
        const now = await Promise.all(cluster.others().map(silentLinks));
        // Three links of each: whatever an end says when it gives up does not arrive either.
        return [...left, ...right].every((at) => (now[at] ?? 0) - (before[at] ?? 0) >= 3);
      },
      () => "the end of links between the halves",
    );
    for (const half of HALVES) {
      const reached = [...half, BRIDGE];
      await cluster.hearMore(reached, reached);
      expect(cluster.seen("down", reached, reached, since)).toEqual([]);
    }
    await expectRecovery();
  });

  test("lose one that is silent without a goodbye, idle or not, and take it back", async () => {
    const lost = 5;
    const since = cluster.sightings.length;
    await cluster.node(lost).stopTalk();
    await cluster.network.between([lost], cluster.others(lost), CUT);
    await Promise.all([
      cluster.allSee("down", cluster.others(lost), [lost], since),
      cluster.allSee("down", [lost], cluster.others(lost), since),
    ]);
    expect(cluster.seen("down", cluster.others(lost), cluster.others(lost), since)).toEqual([]);
    // Nothing told them but the silence: no connection was closed or reset.
    expect(await silentLinks(lost)).toBeGreaterThan(0);
    await cluster.talk();
    await expectRecovery();
  });

  test("see a link that comes and goes once down and once up for each time", async () => {
    const [one, other] = [2, 6];
    const files = [one, other].map(openFiles);
    const since = cluster.sightings.length;
    const flaps = 3;
    for (let flap = 0; flap < flaps; flap++) {
      const cutAt = cluster.sightings.length;
      await cluster.network.between([one], [other], CUT);
      await cluster.allSee("down", [one, other], [one, other], cutAt);
      await cluster.network.heal();
      await cluster.allSee("up", [one, other], [one, other], cutAt);
    }
    await expectRecovery();
    for (const name of ["down", "up"] as const) {
      expect(cluster.seen(name, [one], [other], since)).toHaveLength(flaps);
      expect(cluster.seen(name, [other], [one], since)).toHaveLength(flaps);
      const all = cluster.seen(name, cluster.others(), cluster.others(), since);
      expect(all).toHaveLength(2 * flaps);
    }
    await until(
      () => [one, other].every((at, index) => openFiles(at) <= (files[index] ?? 0)),
      () => `no more open files than before: ${files.join()}, now ${[one, other].map(openFiles)}`,
    );
  });
});
