import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Foundation, type FoundationNode } from "../../dist/ts/index.js";
import { printedRandom } from "./seeded-random.ts";
import { counted, restarted, serviceProcesses } from "./service-outages.ts";

const RATE = ["ai", "planning", "samplingRate"] as const;
const STORED = "foundation.event_store.events_stored";

let node: FoundationNode;
beforeEach(async () => {
  node = await Foundation.start();
});
afterEach(async () => node.leave());

/** Lets everybody else have a turn. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Runs that many copies of something that takes turns. */
async function atATime<T>(copies: number, run: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: copies }, async (_, index) => run(index)));
}

describe("many at a time", () => {
  test("read the same [F019]", async () => {
    node.config.update(RATE, 0.25);
    const read = await atATime(100, async () => {
      await turn();
      return [node.config.get(RATE), node.config.get(["ai", "provider"])];
    });
    expect(read).toEqual(Array.from({ length: 100 }, () => [0.25, "mock"]));
  });

  test("change the configuration one after the other [F020 F036]", async () => {
    const told: number[] = [];
    node.config.subscribe((notification) => {
      if (notification.kind === "config_updated") told.push(notification.value as number);
    });
    const made = await atATime(50, async (index) => {
      await turn();
      const value = (index + 1) / 50;
      node.config.update(RATE, value);
      // Nobody comes in between: what was written is read.
      expect(node.config.get(RATE)).toBe(value);
      return value;
    });
    expect([...told].sort((a, b) => a - b)).toEqual(made);
    expect(node.config.get(RATE)).toBe(told.at(-1));
    expect(node.config.status().updatesCount).toBe(50);
    const events = node.events.query({ eventType: "config_updated", orderBy: "eventId" });
    expect(events.map(({ data }) => (data as { newValue: number }).newValue)).toEqual(told);
  });

  test("store events, and each finds its own [F021 F051]", async () => {
    const ids = await atATime(50, async (index) => {
      const mine: number[] = [];
      for (let count = 0; count < 20; count++) {
        const event = node.events.newEvent("e", { index, count }, { correlationId: `w${index}` });
        mine.push(await node.events.record(event));
        await turn();
      }
      return mine;
    });
    expect(new Set(ids.flat()).size).toBe(1_000);
    for (const [index, mine] of ids.entries()) {
      const found = node.events.getByCorrelation(`w${index}`);
      expect(found.map(({ eventId }) => eventId)).toEqual(mine);
    }
    expect(counted(node, STORED)).toBe(1_000);
  });

  test("one producer's events stay in its order [F037]", async () => {
    await atATime(4, async (index) => {
      for (let count = 0; count < 500; count++) {
        node.events.store(node.events.newEvent(`p${index}`, count));
        if (count % 50 === 0) await turn();
      }
    });
    for (let index = 0; index < 4; index++) {
      const found = node.events.query({ eventType: `p${index}`, orderBy: "timestamp" });
      expect(found.map(({ data }) => data)).toEqual(Array.from({ length: 500 }, (_, at) => at));
    }
  });

  test("work with all services, and everything adds up [F035 F041 F073]", async () => {
    const copies = 40;
    const pids = await atATime(copies, async (index) => {
      const pid = node.beam.processes.spawn(() => {});
      for (let count = 0; count < 25; count++) {
        node.config.update(RATE, ((index + count) % 100) / 100);
        node.events.store(node.events.newEvent("op", { index, count }));
        node.telemetry.emitCounter(["ops"]);
        node.serviceRegistry.register("load", `s${index}`, pid);
        const call = node.infrastructure.executeProtected("k", {}, () => count);
        expect(await call).toBe(count);
        await turn();
      }
      return pid;
    });
    const operations = copies * 25;
    expect(node.config.status().updatesCount).toBe(operations);
    expect(node.events.query({ eventType: "op" })).toHaveLength(operations);
    expect(node.events.query({ eventType: "config_updated" })).toHaveLength(operations);
    expect([counted(node, "ops"), counted(node, STORED)]).toEqual([operations, 2 * operations]);
    expect([...node.processRegistry.getAllServices("load").values()]).toEqual(pids);
  });
});

describe("a node under load", () => {
  test("lets others have their turn [F025 F156]", async () => {
    let isDone = false;
    let heartbeats = 0;
    const heart = (async (): Promise<void> => {
      while (!isDone) {
        await turn();
        heartbeats += 1;
      }
    })();
    for (let batch = 0; batch < 50; batch++) {
      for (let count = 0; count < 100; count++) {
        node.events.store(node.events.newEvent("load", count));
        node.config.get(RATE);
        node.telemetry.emitHistogram(["load"], count);
      }
      await turn();
    }
    isDone = true;
    await heart;
    // One between any two batches.
    expect(heartbeats).toBeGreaterThanOrEqual(50);
    expect(node.events.query({ eventType: "load" })).toHaveLength(5_000);
    expect(node.services.health().status).toBe("healthy");
  });

  test("loses nothing acknowledged while services are killed at random [F157]", async () => {
    const random = printedRandom("services under load");
    const names = [...(await serviceProcesses(node)).keys()];
    const acknowledged: number[] = [];
    const refusals = new Set<string>();
    let isDone = false;
    let operations = 0;
    const work = async (index: number): Promise<void> => {
      while (!isDone) {
        const event = node.events.newEvent("ack", { index, operations });
        try {
          acknowledged.push(await node.events.record(event));
          node.config.update(RATE, random.below(101) / 100);
          node.telemetry.emitCounter(["work"]);
          node.processRegistry.stats();
        } catch (thrown) {
          refusals.add((thrown as { code: string }).code);
        }
        operations += 1;
        await turn();
      }
    };
    const workers = Array.from({ length: 30 }, async (_, index) => work(index));
    for (let kill = 0; kill < 40; kill++) {
      const before = operations;
      const name = names[random.below(names.length)] as string;
      await restarted(node, name);
      while (operations === before) await turn();
    }
    isDone = true;
    await Promise.all(workers);
    const found = node.events.query({ eventType: "ack" }).map(({ eventId }) => eventId);
    const kept = new Set(found);
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(0);
    expect([...refusals].filter((code) => code !== "service_unavailable")).toEqual([]);
    expect(node.services.health().status).toBe("healthy");
    expect([...(await serviceProcesses(node)).keys()]).toEqual(names);
  });

  test("stays within its bounds however long it lasts [F158]", async () => {
    const small = await Foundation.start({
      config: { values: { storage: { hot: { maxEvents: 1_000 } } } },
    });
    try {
      let operations = 0;
      await atATime(50, async (index) => {
        for (let count = 0; count < 200; count++) {
          small.events.store(small.events.newEvent("load", { index, text: "x".repeat(100) }));
          small.config.update(RATE, (count % 100) / 100);
          small.telemetry.emitGauge(["load", String(index)], count);
          small.telemetry.emitHistogram(["sizes"], count);
          operations += 1;
          if (count % 10 === 0) await turn();
        }
      });
      expect(operations).toBe(10_000);
      const { currentEventCount, eventsStored } = small.events.stats();
      expect([currentEventCount, eventsStored]).toEqual([1_000, 20_000]);
      expect(small.telemetry.status().droppedEvents).toBe(0);
      expect(small.telemetry.status().metricsCount).toBeLessThan(100);
      const sizes = small.telemetry.getMetricsFlat().get("sizes");
      expect(sizes?.distributions["histogram"]).toMatchObject({ count: 10_000, min: 0, max: 199 });
      expect(small.services.health().status).toBe("healthy");
    } finally {
      await small.leave();
    }
  });
});
