import { describe, expect, test } from "vitest";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";
import { eventOf, eventScene } from "./services-event-scene.ts";
import { codeOf } from "./thrown-code.ts";

const idsOf = (events: readonly FoundationEvent[]): number[] =>
  events.map(({ eventId }) => eventId);

/** Ten events: odd ids of type `a`, even ones `b`; ids against the order of time. */
function tenEvents(): FoundationEvent[] {
  return Array.from({ length: 10 }, (_, index) => {
    const eventId = index + 1;
    return eventOf({
      eventId,
      eventType: eventId % 2 === 1 ? "a" : "b",
      timestamp: 1_000 - 10 * eventId,
      correlationId: eventId <= 3 ? "first" : null,
    });
  });
}

describe("store", () => {
  test("keeps an event under its id and counts it [F505 F509]", () => {
    const { events, reports } = eventScene();
    const event = events.newEvent("test", { a: 1 });
    expect(events.store(event)).toBe(event.eventId);
    expect(events.get(event.eventId)).toEqual(event);
    expect(reports).toEqual([
      {
        name: "foundation.event_store.events_stored",
        measurements: { counter: 1 },
        metadata: { eventType: "test", eventId: event.eventId },
      },
    ]);
  });

  test("refuses what is no event, and keeps and counts nothing [F506]", () => {
    const { events, reports } = eventScene();
    const code = codeOf(() => events.store({ ...eventOf(), eventType: null as never }));
    expect(code).toEqual(["validation_failed", 2001]);
    expect(codeOf(() => events.store(eventOf({ timestamp: "x" as never })))?.[1]).toBe(2002);
    expect(codeOf(() => events.store(eventOf({ data: "x".repeat(1_000_001) })))?.[1]).toBe(2003);
    expect(events.stats()).toMatchObject({ eventsStored: 0, currentEventCount: 0 });
    expect(reports).toEqual([]);
  });

  test("replaces an event of the same id, wherever it was found", () => {
    const { events } = eventScene();
    events.store(eventOf({ eventId: 5, eventType: "old", correlationId: "old", timestamp: 1 }));
    events.store(eventOf({ eventId: 6 }));
    events.store(eventOf({ eventId: 5, eventType: "new", correlationId: "new", timestamp: 2 }));
    expect(events.stats()).toMatchObject({ eventsStored: 3, currentEventCount: 2 });
    expect(events.get(5).eventType).toBe("new");
    expect(events.query({ eventType: "old" })).toEqual([]);
    expect(events.getByCorrelation("old")).toEqual([]);
    expect(events.getTimeRange(1, 1)).toEqual([]);
    expect(idsOf(events.getTimeRange(2, 2))).toEqual([5]);
  });

  test("gives the ids that come next above those that were stored", () => {
    const { events } = eventScene();
    const { nextId } = events.status();
    events.store(eventOf({ eventId: nextId + 5_000 }));
    expect(events.status().nextId).toBeGreaterThan(nextId + 5_000);
    expect(events.newEvent("test", 1).eventId).toBeGreaterThan(nextId + 5_000);
  });
});

describe("storeBatch", () => {
  test("keeps all, in order, and counts once [F507]", () => {
    const { events, reports } = eventScene();
    const batch = [3, 1, 2].map((eventId) => eventOf({ eventId }));
    expect(events.storeBatch(batch)).toEqual([3, 1, 2]);
    expect(idsOf(events.query({ orderBy: "eventId" }))).toEqual([1, 2, 3]);
    expect(reports).toEqual([
      {
        name: "foundation.event_store.events_stored",
        measurements: { counter: 3 },
        metadata: { batchSize: 3 },
      },
    ]);
    expect(events.storeBatch([])).toEqual([]);
    expect(reports).toHaveLength(1);
  });

  test("keeps nothing where one is not right, and gives its memory back [F508]", () => {
    const { events, reports } = eventScene();
    events.store(eventOf({ eventId: 100 }));
    const before = events.stats();
    for (let turn = 0; turn < 50; turn++) {
      const batch = tenEvents().map((event) => ({ ...event, data: "x".repeat(10_000) }));
      const wrong = { ...eventOf(), timestamp: null as never };
      expect(codeOf(() => events.storeBatch([...batch, wrong]))?.[1]).toBe(2001);
    }
    // 50 batches of 100 KB left no more than the chunk that is being filled.
    const after = events.stats();
    expect(after.eventBytes).toBeLessThanOrEqual(before.eventBytes + (64 << 10));
    expect(after).toMatchObject({ eventsStored: 1, eventsPruned: 0, currentEventCount: 1 });
    expect(idsOf(events.query())).toEqual([100]);
    expect(reports).toHaveLength(1);
  });

  test("refuses a batch that is larger than the store", () => {
    const { events } = eventScene({}, { bytesMax: 4 << 20 });
    const data = "x".repeat(900_000);
    const batch = Array.from({ length: 6 }, (_, index) => eventOf({ eventId: index + 1, data }));
    expect(codeOf(() => events.storeBatch(batch))?.[0]).toBe("resource_exhausted");
    expect(events.stats()).toMatchObject({ currentEventCount: 0, eventBytes: 0 });
    expect(codeOf(() => events.storeBatch("batch" as never))).toEqual(["invalid_argument", 2005]);
  });
});

describe("get", () => {
  test("of an id that nobody has is an error, and looking it up a miss [F510]", () => {
    const { events } = eventScene();
    expect(codeOf(() => events.get(999_999))).toEqual(["not_found", 3001]);
    expect(events.lookup(999_999)).toBeUndefined();
  });

  test.each([0, -1, 1.5, "1"])("refuses %j, which is no id", (id) => {
    const { events } = eventScene();
    expect(codeOf(() => events.get(id as never))).toEqual(["invalid_argument", 2005]);
  });
});

describe("query", () => {
  const { events } = eventScene();
  events.storeBatch(tenEvents());

  test("finds the events of a type, by time [F511]", () => {
    expect(idsOf(events.query({ eventType: "a" }))).toEqual([9, 7, 5, 3, 1]);
    expect(events.query({ eventType: "c" })).toEqual([]);
  });

  test.each([
    [{ timeRange: [920, 950] }, [8, 7, 6, 5]],
    [{ timeRange: { from: 920, to: 950 }, orderBy: "eventId" }, [5, 6, 7, 8]],
    [{ timeRange: [921, 949], eventType: "a" }, [7]],
    [{ timeRange: [950, 920] }, []],
    [{ timeRange: [Number.NEGATIVE_INFINITY, 910] }, [10, 9]],
  ] as const)("has both ends of a span of time: %j [F512]", (query, ids) => {
    expect(idsOf(events.query(query))).toEqual(ids);
  });

  test.each([
    [{ orderBy: "eventId", limit: 3, offset: 2 }, [3, 4, 5]],
    [{ orderBy: "event_id", limit: 3, offset: 2 }, [3, 4, 5]],
    [{ orderBy: "timestamp", limit: 2 }, [10, 9]],
    [{ orderBy: "eventId", descending: true, offset: 8 }, [2, 1]],
    [{ eventType: "b", orderBy: "eventId", limit: 2, offset: 4 }, [10]],
    [{ offset: 10 }, []],
  ] as const)("gives pages: %j [F513]", (query, ids) => {
    expect(idsOf(events.query(query))).toEqual(ids);
  });

  test("finds the events of a correlation id, the earliest first [F514]", () => {
    expect(idsOf(events.getByCorrelation("first"))).toEqual([3, 2, 1]);
    expect(events.getCorrelationChain("first")).toEqual(events.getByCorrelation("first"));
    const query = {
      correlationId: "first",
      eventType: "a",
      orderBy: "eventId",
      offset: 1,
    } as const;
    expect(idsOf(events.query(query))).toEqual([3]);
  });

  test("finds nothing for an id that nobody has [F515]", () => {
    expect(events.getByCorrelation("nobody")).toEqual([]);
  });

  test("takes the keys of Foundation 1.x, and leaves out those that nobody knows", () => {
    const query = { event_type: "b", time_range: [900, 930], order_by: "event_id", colour: 1 };
    expect(idsOf(events.query(query as never))).toEqual([8, 10]);
  });

  test.each<[string, unknown]>([
    ["limit", 0],
    ["limit", 1.5],
    ["offset", -1],
    ["orderBy", "colour"],
    ["timeRange", [1]],
    ["timeRange", [Number.NaN, 1]],
    ["timeRange", "today"],
    ["eventType", 5],
    ["correlationId", 5],
    ["descending", "yes"],
  ])("refuses %s: %j", (key, value) => {
    expect(codeOf(() => events.query({ [key]: value }))).toEqual(["invalid_argument", 2005]);
  });

  test.each([
    [{ eventType: "rare", orderBy: "eventId", offset: 2, limit: 3 }, [300, 400, 500]],
    [{ eventType: "rare", orderBy: "eventId", descending: true, limit: 2 }, [1_000, 900]],
    [{ timeRange: [1_990, 1_993], orderBy: "eventId" }, [7, 8, 9, 10]],
    [{ eventType: "common", orderBy: "eventId", offset: 98, limit: 3 }, [99, 101, 102]],
    [
      { eventType: "common", timeRange: [1_890, 1_905], orderBy: "eventId", limit: 3 },
      [95, 96, 97],
    ],
    [{ timeRange: [1_000, 1_900], orderBy: "eventId", offset: 1, limit: 2 }, [101, 102]],
  ] as const)("finds few among many, and many among more, by id: %j", (query, ids) => {
    const { events: many } = eventScene();
    for (let eventId = 1; eventId <= 1_000; eventId++) {
      const eventType = eventId % 100 === 0 ? "rare" : "common";
      many.store(eventOf({ eventId, eventType, timestamp: 2_000 - eventId }));
    }
    expect(idsOf(many.query(query))).toEqual(ids);
  });

  test("the recent ones are the newest, the newest first (D3)", () => {
    expect(idsOf(events.getRecent(3))).toEqual([1, 2, 3]);
    expect(events.getRecent()).toHaveLength(10);
    expect(idsOf(events.getTimeRange(970, 990))).toEqual([3, 2, 1]);
  });
});

describe("pruneBefore", () => {
  test("drops what is earlier, counts it, and keeps what is of that moment [F516]", () => {
    const { events, reports } = eventScene();
    events.storeBatch(tenEvents());
    expect(events.pruneBefore(950)).toBe(5);
    expect(idsOf(events.query({ orderBy: "eventId" }))).toEqual([1, 2, 3, 4, 5]);
    expect(events.pruneBefore(950)).toBe(0);
    expect(events.stats()).toMatchObject({ eventsStored: 10, eventsPruned: 5 });
    expect(reports.at(-1)).toEqual({
      name: "foundation.event_store.events_pruned",
      measurements: { counter: 5 },
      metadata: {},
    });
    expect(codeOf(() => events.pruneBefore(Number.NaN))).toEqual(["invalid_argument", 2005]);
  });
});

describe("figures", () => {
  test("say what there is, and the memory is what it takes [F517]", () => {
    const { events, clock } = eventScene();
    const empty = events.stats();
    clock.advance(50);
    events.storeBatch(
      Array.from({ length: 200 }, (_, index) =>
        eventOf({ eventId: index + 1, data: "x".repeat(1_000) }),
      ),
    );
    const full = events.stats();
    expect(full).toMatchObject({
      eventsStored: 200,
      eventsPruned: 0,
      startTime: 1_700_000_000_000,
      currentEventCount: 200,
      uptimeMs: 50,
    });
    expect(full.eventBytes).toBeGreaterThanOrEqual(200_000);
    expect(full.eventBytes).toBeLessThan(400_000);
    expect(full.memoryUsageEstimate - empty.memoryUsageEstimate).toBeGreaterThan(200_000);
    events.pruneBefore(Number.MAX_SAFE_INTEGER);
    expect(events.stats()).toMatchObject({ currentEventCount: 0, eventBytes: 64 << 10 });
  });

  test("say whether the service is there [F518]", () => {
    const { events, kill, restart } = eventScene();
    expect(events.available()).toBe(true);
    expect(events.status()).toMatchObject({ status: "running", eventCount: 0 });
    kill();
    expect(events.available()).toBe(false);
    expect(codeOf(() => events.status())).toEqual(["service_unavailable", 3000]);
    restart();
    expect(() => events.initialize()).not.toThrow();
    expect(events.available()).toBe(true);
  });
});
