import { afterAll, describe, test } from "vitest";
import { LocalNodes, nextEventOf } from "./local-nodes.ts";
import { NodeProcesses } from "./node-process.ts";

const nodes = new LocalNodes();
const processes = new NodeProcesses();
// The tests of this file run at the same time, so the processes go when all are over.
afterAll(async () => {
  await processes.killAll();
  await nodes.leaveAll();
});

const BLOCKED_MS = 10_000;
const IDLE_MS = 60_000;

describe.concurrent("an event loop", () => {
  test.for(["immediate", "callback"] as const)(
    "that runs for 10 s without a pause (%s) is busy, never down, and idle after",
    async (place, { expect }) => {
      const cluster = `blocked-${place}`;
      const observer = await nodes.start({ name: "observer", cluster });
      const options = { cluster, seeds: [observer.address] };
      const blocked = await processes.start("blocked", options);
      await observer.awaitReady({ minimumMembers: 2 });
      const downs: string[] = [];
      observer.on("down", ({ reason }) => downs.push(reason));
      const askedMs = performance.now();
      // Answered when its loop runs. It may have been busy with its own start: that is over now.
      await blocked.block(BLOCKED_MS, place);
      // It hears of itself once it can hear anything.
      const self = Promise.all([
        blocked.nextEvent("busy", "blocked", 2 * BLOCKED_MS),
        blocked.nextEvent("idle", "blocked", 2 * BLOCKED_MS),
      ]);
      self.catch(() => {}); // waited for behind what may fail first
      const busy = await nextEventOf(observer, "busy", "blocked");
      expect(busy).toMatchObject({ name: "blocked", state: "busy" });
      expect(observer.members()[1]).toMatchObject({ name: "blocked", state: "busy" });
      expect(observer.metrics().peers[0]).toMatchObject({ busyIsolates: 1 });
      const idle = await nextEventOf(observer, "idle", "blocked", 2 * BLOCKED_MS);
      expect(idle).toMatchObject({ name: "blocked", state: "up" });
      expect(performance.now() - askedMs).toBeGreaterThan(BLOCKED_MS - 500);
      expect(downs).toEqual([]);
      await self;
    },
  );

  test("that has nothing to do for a minute is never busy, and its links stay", async ({
    expect,
  }) => {
    const first = await processes.start("first", { cluster: "idle" });
    const options = { cluster: "idle", seeds: [first.address] };
    const second = await processes.start("second", options);
    await Promise.all([first.ready(2), second.ready(2)]);
    const news = ["busy", "down"] as const;
    const surprises = [first, second].flatMap((process) =>
      news.flatMap((name) =>
        ["first", "second"].map(async (member) => process.nextEvent(name, member, IDLE_MS)),
      ),
    );
    // Each of them has to wait in vain for the whole minute.
    const ends = await Promise.allSettled(surprises);
    expect(ends.map(({ status }) => status)).toEqual(Array(8).fill("rejected"));
    for (const process of [first, second]) {
      const members = await process.members();
      expect(members.map(({ state }) => state)).toEqual(["up", "up"]);
      expect((await process.metrics()).linksLost).toBe(0);
    }
  });
});
