import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amiss, FaultyCluster } from "./faulty-cluster.ts";

let cluster: FaultyCluster;
beforeAll(async () => {
  cluster = await FaultyCluster.open(5);
});
afterAll(async () => {
  await cluster?.close();
});

/** Sums of the switch's counters over all directions. */
async function fired(): Promise<Record<string, number>> {
  const { directions, refused, missed } = await cluster.network.census();
  const sums: Record<string, number> = { refused, missed };
  for (const { from: _from, to: _to, ...counters } of directions) {
    for (const [name, count] of Object.entries(counters)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

describe("five nodes on a bad network", () => {
  test("lose nothing and nobody, and hear everything once and in order", async () => {
    await cluster.network.everywhere({
      ...{ loss: 0.05, duplicate: 0.02, reorder: 0.05 },
      ...{ delayMs: 10, jitterMs: 2 },
    });
    const since = cluster.sightings.length;
    await cluster.talk();
    await cluster.hearMore(cluster.others(), cluster.others(), 500);
    const talked = await cluster.endTalk();
    expect(amiss(talked)).toEqual({ lost: 0, misordered: 0, damaged: 0 });
    for (const at of cluster.others()) {
      const heard = Object.values(talked[at]?.heard ?? {}).map(({ messages }) => messages);
      const said = cluster.others(at).map((from) => talked[from]?.accepted[`node-${at}`] ?? 0);
      expect(heard.sort()).toEqual(said.sort());
    }
    expect(cluster.seen("down", cluster.others(), cluster.others(), since)).toEqual([]);
    // A fault that never fired has shown nothing.
    const census = await fired();
    for (const name of ["lost", "duplicated", "reordered", "delayed"]) {
      expect(census[name], name).toBeGreaterThan(100);
    }
  });
});
