import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  Foundation,
  type FoundationEvent,
  type FoundationNode,
  type Pid,
} from "../../dist/ts/index.js";
import { emptyLog } from "./event-log-stub.ts";
import { ServiceScene } from "./service-scene.ts";

const WORKER = fileURLToPath(new URL("./fixtures/event-worker.mjs", import.meta.url));
const RATE = ["ai", "planning", "samplingRate"] as const;
const WAIT = { timeout: 15_000 };

let scene: ServiceScene;
beforeEach(() => {
  scene = new ServiceScene();
});
afterEach(async () => scene.end());

async function kill(node: FoundationNode, id: string): Promise<void> {
  const supervisor = node.services.supervisor as Pid;
  const children = await node.beam.supervisors.whichChildren(supervisor);
  const victim = children.find((child) => child.id === id)?.pid;
  expect(victim).toBeDefined();
  if (victim !== undefined) node.beam.processes.exit(victim, "kill");
}

/** The supervisor answers once it has restarted what was killed. */
async function restarted(node: FoundationNode): Promise<void> {
  await node.beam.supervisors.whichChildren(node.services.supervisor as Pid);
}

describe("the events of a node", () => {
  test("know their node and, in a process, their process", async () => {
    const node = await scene.start({ name: "shop" });
    const { processes } = node.beam;
    const outside = node.events.newEvent("test", 1);
    expect(outside).toMatchObject({ node: "shop", pid: null });
    const made = new Promise<FoundationEvent>((resolve) => {
      const pid = processes.spawn(() => resolve(node.events.newEvent("test", 1)));
      processes.send(pid, "go");
    });
    const { pid } = await made;
    expect(pid?.node).toBe("shop");
  });

  test("have changes of the configuration among them, before `update` returns", async () => {
    const node = await scene.start();
    node.config.update(RATE, 0.25);
    const [updated] = node.events.query({ eventType: "config_updated" });
    expect(updated?.data).toEqual({
      path: [...RATE],
      newValue: 0.25,
      previousValue: 1,
      timestamp: expect.closeTo(updated?.wallTime ?? 0, -3) as number,
    });
    node.config.reset();
    const [reset] = node.events.query({ eventType: "config_reset" });
    expect(reset?.data).toMatchObject({ resetFromUpdatesCount: 1 });
    const { foundation } = node.telemetry.getMetrics() as {
      foundation: { event_store: { events_stored: { measurements: { counter: number } } } };
    };
    expect(foundation.event_store.events_stored.measurements.counter).toBe(2);
  });

  test("follow the node's configuration: storage.hot caps them, also when it changes", async () => {
    const lines: string[] = [];
    const log = { log: (_level: string, text: string): void => void lines.push(text) };
    const path = ["storage", "hot", "maxEvents"];
    const config = { values: { storage: { hot: { maxEvents: 5 } } }, updatable: [path] };
    const node = await scene.start({ config, log });
    const { events } = node;
    for (let n = 0; n < 8; n++) events.store(events.newEvent("test", n));
    expect(events.query().map(({ data }) => data)).toEqual([3, 4, 5, 6, 7]);
    node.config.update(path, 2);
    // The change is an event itself.
    expect(events.query().map(({ eventType }) => eventType)).toEqual(["test", "config_updated"]);
    expect(lines).toEqual([]);
  });

  test("outlive the process that holds them; writing and reading go on meanwhile", async () => {
    const node = await scene.start();
    const { events } = node;
    const told: unknown[] = [];
    events.subscribe(({ data }) => told.push(data), { eventType: "test" });
    const first = events.store(events.newEvent("test", 1));
    await kill(node, "events");
    expect(events.available()).toBe(false);
    node.config.update(RATE, 0.5);
    events.store(events.newEvent("test", 2));
    expect(events.get(first).data).toBe(1);
    expect(events.pending).toBe(2);
    await restarted(node);
    events.store(events.newEvent("test", 3));
    const types = events.query().map(({ eventType }) => eventType);
    expect(types).toEqual(["test", "config_updated", "test", "test"]);
    await expect.poll(() => told, WAIT).toEqual([1, 2, 3]);
    expect(node.services.health().services["events"]).toEqual({ status: "running", restarts: 1 });
  });

  test("are told to a process until it ends", async () => {
    const node = await scene.start();
    const { events } = node;
    const got: unknown[] = [];
    const pid = node.beam.processes.spawn((message: { kind: string; event: FoundationEvent }) => {
      got.push([message.kind, message.event.data]);
    });
    events.subscribe(pid, { eventType: "test" });
    events.storeBatch([events.newEvent("other", 0), events.newEvent("test", 1)]);
    await expect.poll(() => got, WAIT).toEqual([["EVENT", 1]]);
    node.beam.processes.exit(pid, "kill");
    await expect.poll(() => events.stats().subscriptions, WAIT).toBe(0);
  });

  test("are none of a node's that has left", async () => {
    const node = await scene.start();
    const { events } = node;
    const event = events.newEvent("test", 1);
    await node.leave();
    expect(() => events.store(event)).toThrow(
      expect.objectContaining({ code: "service_unavailable", numericCode: 3000 }),
    );
  });

  test("go to a log that is given, and the node leaves when it has them", async () => {
    const appended: number[] = [];
    let isClosed = false;
    const log = {
      ...emptyLog(),
      append: async (batch: readonly { eventId: number }[]) => {
        await new Promise((resolve) => setImmediate(resolve));
        expect(isClosed).toBe(false);
        appended.push(...batch.map(({ eventId }) => eventId));
      },
      close: async () => {
        isClosed = true;
      },
    };
    const node = await Foundation.start({ events: { log } });
    const id = await node.events.record(node.events.newEvent("test", 1));
    expect(appended).toEqual([id]);
    const last = node.events.store(node.events.newEvent("test", 2));
    await node.leave();
    expect(appended).toEqual([id, last]);
    expect(isClosed).toBe(true);
  });

  test.each([{ bytesMax: 5 }, { bytes: 1 }, { log: {} as never }])(
    "cannot be set up by %j",
    async (events) => {
      const started = Foundation.start({ name: "same", events: events as never });
      await expect(started).rejects.toMatchObject({ code: "invalid_options" });
      await scene.start({ name: "same" });
    },
  );
});

describe("another isolate", () => {
  test("records events in the node's one store, and finds them there", async () => {
    const node = await scene.start();
    const ask = await scene.startWorker(WORKER);
    const { value: id } = await ask("record", "test", { from: "worker" });
    const event = node.events.get(id as number);
    expect(event).toMatchObject({ data: { from: "worker" }, node: node.name });
    expect(await ask("fetch", id)).toEqual({ value: { from: "worker" } });
    const own = node.events.store(node.events.newEvent("test", 1));
    expect(await ask("find", { eventType: "test", orderBy: "timestamp" })).toMatchObject({
      value: expect.arrayContaining([id, own]) as unknown,
    });
    expect(await ask("figures")).toEqual({ value: 2 });
    expect(await ask("prune", Number.MAX_SAFE_INTEGER)).toEqual({ value: 2 });
    expect(await ask("fetch", id)).toEqual({ value: undefined });
    // What was caused by an event comes after it, whatever the clocks say.
    const later = node.events.newEvent("test", 1).hlc;
    expect(later?.ms).toBeGreaterThanOrEqual(event.hlc?.ms as number);
  });

  test("records thousands in their order, and finds them page by page", async () => {
    const node = await scene.start();
    const ask = await scene.startWorker(WORKER);
    const { value: ids } = await ask("recordMany", "many", 9_000);
    const stored = node.events.query({ eventType: "many", orderBy: "eventId" });
    expect(stored.map(({ eventId }) => eventId)).toEqual(ids);
    expect(stored.map(({ data }) => (data as { n: number }).n)).toEqual(
      Array.from({ length: 9_000 }, (_, n) => n),
    );
    const found = await ask("find", { eventType: "many", orderBy: "eventId", offset: 100 });
    expect(found.value).toEqual((ids as number[]).slice(100));
    const some = await ask("find", { eventType: "many", orderBy: "eventId", limit: 5_000 });
    expect(some.value).toEqual((ids as number[]).slice(0, 5_000));
  });

  test("has what is synchronous only where that is said", async () => {
    await scene.start();
    const ask = await scene.startWorker(WORKER);
    expect(await ask("store")).toEqual({ code: "not_root_isolate" });
    expect(await ask("query")).toEqual({ code: "not_root_isolate" });
    expect(await ask("available")).toEqual({ value: true });
    expect(await ask("status")).toMatchObject({ value: { status: "running" } });
    expect(await ask("history")).toEqual({ code: "operation_not_supported" });
    expect(await ask("find", { limit: 0 })).toEqual({ code: "invalid_argument" });
  });

  test("gives its events ids that nobody else has", async () => {
    const node = await scene.start();
    const [ask, other] = [await scene.startWorker(WORKER), await scene.startWorker(WORKER)];
    const made = await Promise.all([ask("recordMany", "a", 300), other("recordMany", "b", 300)]);
    const own = Array.from({ length: 300 }, () => node.events.newEvent("c", 1).eventId);
    const ids = [...(made[0].value as number[]), ...(made[1].value as number[]), ...own];
    expect(new Set(ids).size).toBe(900);
  });

  test("gives out ids above those that were in use when it came", async () => {
    const node = await scene.start();
    // As a log would tell it of an earlier run: a minute's ids ahead of the clock.
    const ahead = node.events.nextId + 60_000 * 8 * 1_024;
    node.events.store({ ...node.events.newEvent("test", 1), eventId: ahead });
    const ask = await scene.startWorker(WORKER);
    const { value } = await ask("make", "test", 2);
    expect((value as { eventId: number }).eventId).toBeGreaterThan(ahead);
  });

  test("is told of the node's events that it follows, until it does not", async () => {
    const node = await scene.start();
    const ask = await scene.startWorker(WORKER);
    await ask("follow", { eventType: "test" });
    const { events } = node;
    const first = events.store(events.newEvent("test", 1));
    events.store(events.newEvent("other", 1));
    await expect.poll(async () => (await ask("told")).value, WAIT).toEqual([first]);
    await ask("unfollow");
    await expect.poll(() => events.stats().subscriptions, WAIT).toBe(0);
  });

  test.each(["events", "eventAuthority"])(
    "records what it has to while the process of %s is restarted",
    async (id) => {
      const node = await scene.start();
      const ask = await scene.startWorker(WORKER);
      const recorded = ask("recordMany", "test", 500);
      await kill(node, id);
      const { value: ids } = await recorded;
      expect(node.events.query({ orderBy: "eventId" }).map(({ eventId }) => eventId)).toEqual(ids);
      expect(await ask("recordBatch", ["a", "b"])).toMatchObject({ value: { length: 2 } });
      expect(node.events.query({ eventType: "b" })).toHaveLength(1);
    },
  );
});

test("a namespace has events of its own, of its own configuration", async () => {
  const node = await scene.start();
  const namespace = "shop";
  const { events } = node.services.namespace(namespace);
  expect(events.available()).toBe(false);
  const { Services } = await import("../../dist/ts/index.js");
  await node.beam.supervisors.start({
    children: [
      { id: "config", start: Services.ConfigServer, args: [{ namespace }] },
      { id: "events", start: Services.EventStore, args: [{ namespace, bytesMax: 8 << 20 }] },
    ],
  });
  const { config } = node.services.namespace(namespace);
  config.update(RATE, 0.5);
  expect(events.query().map(({ eventType }) => eventType)).toEqual(["config_updated"]);
  expect(node.events.query()).toEqual([]);
  expect(node.processRegistry.isRegistered(namespace, "event_store")).toBe(true);
});
