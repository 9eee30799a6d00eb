// What Partisan 5.0.3 is known to do wrong where nodes join and leave, and what does not happen
// here; the numbers are those of the table in docs/overlays.md.
import { readdirSync, readlinkSync } from "node:fs";
import type { DownEvent, FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { allReady, LocalNodes, nextEventOf } from "./local-nodes.ts";
import { SilentPorts } from "./silent-ports.ts";

const nodes = new LocalNodes();
let silent: SilentPorts | undefined;
afterEach(async () => {
  await nodes.leaveAll();
  await silent?.close();
  silent = undefined;
});

const memberNames = (node: FoundationNode): string[] => {
  return node
    .members()
    .map(({ name }) => name)
    .sort();
};

describe("seeds", () => {
  test("#1: a hundred that do not answer are dialled side by side, not one by one", async () => {
    silent = await SilentPorts.listen(100);
    const member = await nodes.start({ name: "member" });
    const seeds = [...silent.addresses, member.address];
    const joiner = await nodes.start({ name: "joiner", seeds });
    await allReady([joiner, member], 2);
    await expect.poll(() => silent!.dialled.size, { timeout: 30_000 }).toBe(100);
    // One after the other there would never be two.
    expect(silent.openAtMost).toBeGreaterThan(32);
  });

  test("#2: one that is a black hole is still waited for when ten others are up", async () => {
    silent = await SilentPorts.listen(1);
    const members = await nodes.startCluster(Array.from({ length: 10 }, (_, at) => `node-${at}`));
    const joiner = await nodes.start({ name: "joiner" });
    const [hole = ""] = silent.addresses;
    let isGivenUp = false;
    const given = joiner.join(hole, { timeoutMs: 4_000 }).finally(() => {
      isGivenUp = true;
    });
    const failed = expect(given).rejects.toMatchObject({ code: "join_failed" });
    const joined = members.map(async ({ address }) => joiner.join(address));
    expect(await Promise.all(joined)).toEqual(members.map(({ name }) => name));
    await expect.poll(() => silent?.open, { timeout: 2_000 }).toBe(1);
    expect(isGivenUp).toBe(false);
    await failed;
  });

  test("#10: that are all gone cost a cluster none of its members", async () => {
    const cluster = await nodes.startCluster(["one", "two", "three"]);
    const downs: DownEvent[] = [];
    for (const node of cluster) node.on("down", (event) => downs.push(event));
    silent = await SilentPorts.listen(3);
    const gone = silent.addresses;
    await silent.close();
    const [one] = cluster;
    const joins = gone.map(async (address) => {
      await expect(one!.join(address, { timeoutMs: 500 })).rejects.toMatchObject({
        code: "join_failed",
      });
    });
    await Promise.all(joins);
    for (const node of cluster) expect(memberNames(node)).toEqual(["one", "three", "two"]);
    expect(downs).toEqual([]);
  });
});

/** Sockets that this process has open. */
function openSockets(): number {
  let sockets = 0;
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:")) sockets++;
    } catch {
      // Closed since it was listed, as the folder itself is.
    }
  }
  return sockets;
}

describe("a node that leaves", () => {
  test.runIf(process.platform === "linux")(
    "#20: leaves no connection behind, at whichever end",
    async () => {
      const [one, two] = await nodes.startCluster(["one", "two"]);
      const before = openSockets();
      for (let round = 0; round < 5; round++) {
        const passing = await nodes.start({ name: `passing-${round}`, seeds: [one!.address] });
        await allReady([one!, two!, passing], 3);
        const downs = [one!, two!].map(async (node) => nextEventOf(node, "down", passing.name));
        await passing.leave();
        await Promise.all(downs);
      }
      await expect.poll(openSockets, { timeout: 10_000 }).toBe(before);
      for (const node of [one!, two!]) {
        expect(node.metrics().peers).toHaveLength(1);
        expect(node.metrics().strangers).toBe(0);
      }
    },
  );

  test("#20: may come back to its address under another name", async () => {
    const [one, two] = await nodes.startCluster(["one", "two"]);
    const { address } = two!;
    const isDown = nextEventOf(one!, "down", "two");
    await two!.leave();
    await isDown;
    const renamed = await nodes.start({ name: "renamed", listen: address, seeds: [one!.address] });
    await allReady([one!, renamed], 2);
    for (const node of [one!, renamed]) expect(memberNames(node)).toEqual(["one", "renamed"]);
    renamed.handle("who", () => "renamed");
    expect(await one!.call({ node: "renamed", name: "who" }, null)).toBe("renamed");
  });
});

test("#20: nine nodes that join at once through one contact are one cluster", async () => {
  const contact = await nodes.start({ name: "node-0" });
  const others = Array.from({ length: 8 }, async (_, at) => {
    return nodes.start({ name: `node-${at + 1}`, seeds: [contact.address] });
  });
  const all = [contact, ...(await Promise.all(others))];
  await allReady(all, 9);
  const everybody = all.map(({ name }) => name).sort();
  for (const node of all) expect(memberNames(node)).toEqual(everybody);
});
