import type { DownEvent } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, nextEvent, nextEventOf } from "./local-nodes.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

describe("leaving", () => {
  test.each(["first", "second"])("%s says goodbye and is reported as left", async (leaver) => {
    const [first, second] = await nodes.startCluster(["first", "second"]);
    const [leaving, staying] = leaver === "first" ? [first!, second!] : [second!, first!];
    const seen: string[] = [];
    staying.on("leaving", ({ name, state }) => seen.push(`leaving ${name} ${state}`));
    const down = nextEventOf(staying, "down", leaver);
    const left = nextEvent(leaving, "left");
    await leaving.leave();
    expect(await down).toEqual({ name: leaver, reason: "left" });
    expect(await left).toEqual({ drained: true });
    expect(seen).toEqual([`leaving ${leaver} leaving`]);
    expect(staying.members().map(({ name }) => name)).toEqual([staying.name]);
    expect(() => staying.send({ node: leaver, name: "any" }, 1)).toThrow(
      expect.objectContaining({ code: "noconnection" }),
    );
    expect(() => leaving.send({ node: staying.name, name: "any" }, 1)).toThrow(
      expect.objectContaining({ code: "node_left" }),
    );
  });

  test("a node that left may come back as a new one of the same name", async () => {
    const [first, second] = await nodes.startCluster(["first", "second"]);
    const down = nextEventOf(first!, "down", "second");
    await second!.leave();
    await down;
    const up = nextEventOf(first!, "up", "second");
    const again = await nodes.start({ name: "second", seeds: [first!.address] });
    expect((await up).life).toBe(again.life);
    expect(again.life > second!.life).toBe(true);
  });

  test("a node that starts later has the newer life, within a millisecond too", async () => {
    const lives: string[] = [];
    for (let count = 0; count < 100; count++) lives.push((await nodes.start({})).life);
    expect(lives).toEqual(lives.toSorted());
    expect(new Set(lives).size).toBe(100);
  });
});

describe("joining", () => {
  test("both sides report the other one up, with its address and life", async () => {
    const first = await nodes.start({ name: "first" });
    const second = await nodes.start({ name: "second" });
    const ups = [nextEventOf(first, "up", "second"), nextEventOf(second, "up", "first")];
    expect(await second.join(first.address)).toBe("first");
    const [atFirst, atSecond] = await Promise.all(ups);
    const { address, life } = second;
    expect(atFirst).toEqual({ name: "second", address, life, state: "up", self: false });
    expect(atSecond).toMatchObject({ name: "first", address: first.address, life: first.life });
  });

  test("two nodes that join each other at the same moment end with one link", async () => {
    const downs: DownEvent[] = [];
    // Which dial is first is left to chance, so there are a few.
    for (let round = 0; round < 10; round++) {
      const first = await nodes.start({ name: "first" });
      const second = await nodes.start({ name: "second" });
      for (const node of [first, second]) node.on("down", (event) => downs.push(event));
      const joins = [first.join(second.address), second.join(first.address)];
      expect(await Promise.all(joins)).toEqual(["second", "first"]);
      second.handle("echo", (message) => message);
      expect(await first.call({ node: "second", name: "echo" }, "hello")).toBe("hello");
      // To join a member that is linked already is no reason to dial it again.
      expect(await second.join(first.address)).toBe("first");
      expect(downs).toEqual([]);
      await nodes.leaveAll();
      downs.length = 0; // those of leaving
    }
  });

  test("twenty nodes that start at once all find each other through one seed", async () => {
    const first = await nodes.start({ name: "node-0" });
    const others = await Promise.all(
      Array.from({ length: 19 }, async (_, index) =>
        nodes.start({ name: `node-${index + 1}`, seeds: [first.address] }),
      ),
    );
    const all = [first, ...others];
    const wait = { minimumMembers: 20, timeoutMs: 30_000 };
    await Promise.all(all.map(async (node) => node.awaitReady(wait)));
    const everybody = all.map(({ name }) => name).sort();
    for (const node of all) {
      expect(
        node
          .members()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(everybody);
      node.handle("who", () => node.name);
    }
    // Each link works, in both directions.
    const answers = all.flatMap((from) =>
      everybody.map(async (to) => (await from.call({ node: to, name: "who" }, null)) === to),
    );
    expect(await Promise.all(answers)).toEqual(Array(400).fill(true));
  });
});
