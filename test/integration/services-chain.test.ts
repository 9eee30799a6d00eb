import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  attempt,
  Config,
  ErrorContext,
  Errors,
  type EventLog,
  Events,
  Foundation,
  FoundationError,
  type FoundationNode,
  type LoggedEvent,
  Telemetry,
} from "../../dist/ts/index.js";
import { counted } from "./service-outages.ts";

const RATE = ["ai", "planning", "samplingRate"] as const;
const STORED = "foundation.event_store.events_stored";

let node: FoundationNode;
beforeEach(async () => {
  node = await Foundation.initialize();
});
afterEach(async () => Foundation.shutdown());

describe("a change of the configuration", () => {
  test("is told, stored and counted, in this order [F026 F034 F043]", () => {
    const order: string[] = [];
    node.config.subscribe((notification) => {
      order.push("told");
      expect(notification).toMatchObject({ kind: "config_updated", value: 0.25 });
      expect(node.events.query({ eventType: "config_updated" })).toEqual([]);
    });
    node.telemetry.attach("t", [["foundation", "event_store", "events_stored"]], () => {
      order.push("stored");
    });
    node.telemetry.attach("c", [["foundation", "config_updates"]], (_name, measured, metadata) => {
      order.push("counted");
      expect([measured, metadata]).toEqual([{ counter: 1 }, { path: [...RATE] }]);
      expect(node.events.query({ eventType: "config_updated" })).toHaveLength(1);
    });
    node.config.update(["ai", "planning", "sampling_rate"], 0.25);
    expect(order).toEqual(["told", "stored", "counted"]);
    const [event] = node.events.query({ eventType: "config_updated" });
    expect(event?.data).toEqual({
      ...{ path: [...RATE], newValue: 0.25, previousValue: 1 },
      timestamp: node.config.status().lastUpdate,
    });
    expect(counted(node, "foundation.config_updates")).toBe(1);
    expect(counted(node, STORED)).toBe(1);
  });

  test("each have an event of their own, in their order [F044 F047]", () => {
    for (let turn = 1; turn <= 200; turn++) node.config.update(RATE, turn / 200);
    const events = node.events.query({ eventType: "config_updated", orderBy: "eventId" });
    const values = events.map(({ data }) => (data as { newValue: number }).newValue);
    expect(values).toEqual(Array.from({ length: 200 }, (_, index) => (index + 1) / 200));
    const previous = events.map(({ data }) => (data as { previousValue: number }).previousValue);
    expect(previous).toEqual([1, ...values.slice(0, -1)]);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(200);
    const times = events.map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(counted(node, "foundation.config_updates")).toBe(200);
  });

  test("that is refused is told to nobody, stored nowhere, and can be reported [F045]", () => {
    let told = 0;
    node.config.subscribe(() => {
      told += 1;
    });
    const tried = attempt(() => node.config.update(RATE, 7));
    expect(tried).toMatchObject({ ok: false, error: { code: "range_error", numericCode: 1004 } });
    expect([told, node.events.query().length, counted(node, STORED)]).toEqual([0, 0, 0]);
    const error = tried.ok ? undefined : (tried.error as FoundationError);
    const record = Errors.toRecord(error as FoundationError);
    const id = node.events.store(node.events.newEvent("config_error", record));
    expect(node.events.get(id).data).toMatchObject({ code: "range_error", numericCode: 1004 });
    Errors.collectErrorMetrics(error as FoundationError, node.telemetry);
    expect(counted(node, "foundation.errors.config.validation")).toBe(1);
  });

  test("can be judged by what happened before [F027]", () => {
    for (const rate of [0.5, 0.4, 0.3]) node.config.update(RATE, rate);
    const isAllowed = (): boolean => {
      return node.events.query({ eventType: "config_updated" }).length < 3;
    };
    expect(isAllowed()).toBe(false);
    node.events.pruneBefore(Number.MAX_SAFE_INTEGER);
    expect(isAllowed()).toBe(true);
    node.config.update(RATE, 0.2);
    expect(node.config.get(RATE)).toBe(0.2);
  });

  test("that is taken back leaves its whole trail [F028]", () => {
    node.config.update(RATE, 0.5);
    node.config.update(RATE, 0.25);
    const { data } = node.events.getRecent(1)[0] as { data: { previousValue: number } };
    node.config.update(RATE, data.previousValue);
    node.config.reset();
    expect(node.config.get(RATE)).toBe(1);
    const trail = node.events.query({ orderBy: "eventId" }).map(({ eventType, data }) => {
      const { newValue, resetFromUpdatesCount } = data as Record<string, number>;
      return [eventType, newValue ?? resetFromUpdatesCount];
    });
    expect(trail).toEqual([
      ["config_updated", 0.5],
      ["config_updated", 0.25],
      ["config_updated", 0.5],
      ["config_reset", 3],
    ]);
    expect(counted(node, "foundation.config_resets")).toBe(1);
  });
});

describe("events and telemetry", () => {
  test("what is stored is counted, with what it was [F029]", () => {
    const seen: unknown[] = [];
    const name = ["foundation", "event_store", "events_stored"];
    node.telemetry.attach("s", [name], (_name, measured, metadata) => {
      seen.push([measured, metadata]);
    });
    const one = node.events.newEvent("one", {});
    const eventId = node.events.store(one);
    node.events.storeBatch([node.events.newEvent("two", 2), node.events.newEvent("three", 3)]);
    expect(seen).toEqual([
      [{ counter: 1 }, { eventType: "one", eventId }],
      [{ counter: 3 - 1 }, { batchSize: 2 }],
    ]);
    expect(counted(node, STORED)).toBe(3);
  });

  test("how long queries take can be measured, and grows a distribution [F030]", () => {
    for (let index = 0; index < 100; index++) node.events.store(node.events.newEvent("e", index));
    for (let turn = 0; turn < 10; turn++) {
      const found = node.telemetry.measure(["query"], { turn }, () => {
        return node.events.query({ eventType: "e", limit: 10 });
      });
      expect(found).toHaveLength(10);
    }
    const metric = node.telemetry.getMetricsFlat().get("query.stop");
    expect(metric?.distributions["duration"]).toMatchObject({ count: 10 });
    expect(metric?.distributions["duration"]?.max).toBeGreaterThan(0);
  });

  test("what the store refuses is counted as an error and not as stored [F031]", () => {
    const bad = [{ eventType: "" }, { eventType: 7 }, null, "event", {}];
    for (const event of bad) {
      const tried = attempt(() => node.events.store(event as never));
      expect(tried.ok).toBe(false);
      const { error } = tried as { error: FoundationError };
      expect(error).toBeInstanceOf(FoundationError);
      Errors.collectErrorMetrics(error, node.telemetry);
    }
    const errors = [...node.telemetry.getMetricsFor(["foundation", "errors"]).values()];
    expect(errors.reduce((sum, { count }) => sum + count, 0)).toBe(bad.length);
    expect([node.events.query().length, counted(node, STORED)]).toEqual([0, 0]);
  });
});

describe("an operation over all services", () => {
  test("is one story by its correlation id, from event to metric [F048]", () => {
    const correlationId = "order-7";
    const parent = node.events.newEvent("order_placed", { total: 3 }, { correlationId });
    const child = node.events.newEvent(
      "order_paid",
      { by: "card" },
      { correlationId, parentId: parent.eventId },
    );
    node.events.store(node.events.newEvent("other", {}));
    node.events.storeBatch([parent, child]);
    expect(node.events.get(child.eventId)).toEqual(child);
    expect(node.events.getByCorrelation(correlationId)).toEqual([parent, child]);
    expect(node.events.getCorrelationChain(correlationId)[1]?.parentId).toBe(parent.eventId);
    const bytes = node.events.serialize(child);
    expect(node.events.deserialize(bytes)).toEqual(child);
    expect(counted(node, STORED)).toBe(3);
    expect(node.events.stats()).toMatchObject({ eventsStored: 3, currentEventCount: 3 });
  });

  test("an error goes through it with its code, its context and its id [F050]", async () => {
    const context = ErrorContext.new("Shop", "pay", { metadata: { order: 7 } });
    const failed = await attempt(async () =>
      ErrorContext.withContext(context, async () => {
        await Promise.resolve();
        Config.update(RATE, -1);
      }),
    );
    expect(failed.ok).toBe(false);
    const { error } = failed as { error: FoundationError };
    expect(error).toMatchObject({ code: "range_error", numericCode: 1004 });
    const { correlationId } = context;
    expect(error.context["operationContext"]).toMatchObject({ correlationId });
    const record = Errors.toRecord(error);
    Events.store(Events.newEvent("failure", { code: record.code }, { correlationId }));
    expect(Events.getByCorrelation(correlationId)[0]?.data).toEqual({ code: "range_error" });
    const errors = Telemetry.getMetricsFor(["foundation", "errors", "config"]);
    expect([...errors.values()].map(({ count }) => count)).toEqual([1]);
  });

  test("several changes that belong together are all made [F039]", () => {
    const correlationId = "rollout";
    const plan: [readonly string[], unknown][] = [
      [RATE, 0.5],
      [["interface", "maxResults"], 50],
      [["dev", "debugMode"], true],
    ];
    for (const [path, value] of plan) {
      node.config.update(path, value);
      node.events.store(node.events.newEvent("step", { path }, { correlationId }));
    }
    for (const [path, value] of plan) expect(node.config.get(path)).toBe(value);
    expect(node.events.getByCorrelation(correlationId)).toHaveLength(plan.length);
    expect(node.events.query({ eventType: "config_updated" })).toHaveLength(plan.length);
    expect(counted(node, "foundation.config_updates")).toBe(plan.length);
  });

  test("one that fails half-way leaves what was before it, and nothing else [F040]", () => {
    node.config.update(RATE, 0.5);
    const good = node.events.newEvent("good", {});
    const before = node.events.stats().currentEventCount;
    const batch = attempt(() => node.events.storeBatch([good, { eventType: "" } as never]));
    expect(batch).toMatchObject({ ok: false, error: { code: "validation_failed" } });
    expect(attempt(() => node.config.update(RATE, 9)).ok).toBe(false);
    expect(node.events.lookup(good.eventId)).toBeUndefined();
    expect(node.events.stats().currentEventCount).toBe(before);
    expect([node.config.get(RATE), node.config.status().updatesCount]).toEqual([0.5, 1]);
    expect(counted(node, STORED)).toBe(1);
  });

  test("what was stored is found again in every way there is [F052]", () => {
    const events = Array.from({ length: 60 }, (_, index) => {
      const options = { correlationId: `c${index % 3}` };
      return node.events.newEvent(`type${index % 2}`, { index }, options);
    });
    const ids = node.events.storeBatch(events);
    expect(ids).toEqual(events.map(({ eventId }) => eventId));
    expect(ids.map((id) => node.events.get(id))).toEqual(events);
    for (const [kind, rest] of [
      ["type0", 0],
      ["type1", 1],
    ] as const) {
      const wanted = events.filter((_, index) => index % 2 === rest);
      expect(node.events.query({ eventType: kind, orderBy: "event_id" })).toEqual(wanted);
    }
    expect(node.events.getByCorrelation("c2")).toEqual(events.filter((_, at) => at % 3 === 2));
    const [first, last] = [events[10], events[19]] as [
      { timestamp: number },
      { timestamp: number },
    ];
    const span = node.events.getTimeRange(first.timestamp, last.timestamp);
    expect(span).toEqual(
      events.filter(({ timestamp }) => {
        return timestamp >= first.timestamp && timestamp <= last.timestamp;
      }),
    );
    expect(
      node.events
        .getRecent(5)
        .map(({ eventId }) => eventId)
        .sort((a, b) => a - b),
    ).toEqual(ids.slice(-5));
  });
});

describe("a node by its configuration", () => {
  test("keeps as many events as that says [F049]", async () => {
    const values = { storage: { hot: { maxEvents: 10 } } };
    const small = await Foundation.start({ config: { values } });
    try {
      const ids = Array.from({ length: 35 }, (_, index) => {
        return small.events.store(small.events.newEvent("e", index));
      });
      const { currentEventCount, eventsStored, eventsPruned } = small.events.stats();
      expect([currentEventCount, eventsStored, eventsPruned]).toEqual([10, 35, 25]);
      const left = small.events.query({ orderBy: "eventId" }).map(({ eventId }) => eventId);
      expect(left).toEqual(ids.slice(-10));
    } finally {
      await small.leave();
    }
  });

  test("writes what it holds before it ends [F065]", async () => {
    const log = new SlowLog();
    const other = await Foundation.start({ events: { log } });
    const stored = Array.from({ length: 500 }, (_, index) => {
      return other.events.store(other.events.newEvent("e", index));
    });
    expect(log.ids).toEqual([]);
    await other.leave();
    expect([log.ids, log.isClosed]).toEqual([stored, true]);
  });
});

/** A log that takes a turn of the event loop for every batch. */
class SlowLog implements EventLog {
  readonly ids: number[] = [];
  isClosed = false;
  pruned = 0;

  async append(batch: readonly LoggedEvent[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.ids.push(...batch.map(({ eventId }) => eventId));
  }

  async get(): Promise<undefined> {}

  async query(): Promise<readonly Uint8Array[]> {
    return [];
  }

  async pruneBefore(): Promise<number> {
    return this.pruned;
  }

  async stats(): ReturnType<EventLog["stats"]> {
    const events = this.ids.length;
    const { pruned } = this;
    return { events, bytes: 0, eventIdMax: Math.max(0, ...this.ids), appended: events, pruned };
  }

  async close(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.isClosed = true;
  }
}
