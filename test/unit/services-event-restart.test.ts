import { describe, expect, test } from "vitest";
import { EventFallback } from "../../ts/services/events/event-fallback.ts";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";
import { eventOf, eventScene, PID } from "./services-event-scene.ts";
import { codeOf } from "./thrown-code.ts";

const idsOf = (events: readonly FoundationEvent[]): number[] =>
  events.map(({ eventId }) => eventId);

describe("while the service is being restarted", () => {
  test("events are taken, wait, and are stored in order before any later one", () => {
    const { events, kill, restart, reports } = eventScene();
    events.store(eventOf({ eventId: 1 }));
    kill();
    expect(events.store(eventOf({ eventId: 5 }))).toBe(5);
    expect(events.storeBatch([eventOf({ eventId: 4 }), eventOf({ eventId: 3 })])).toEqual([4, 3]);
    const changed = { n: 1 };
    events.store(eventOf({ eventId: 2, data: changed }));
    changed.n = 2;
    expect(events.pending).toBe(4);
    expect(reports).toHaveLength(1);
    restart();
    events.store(eventOf({ eventId: 6 }));
    const order = reports.map(({ metadata }) => metadata["eventId"]);
    expect(order).toEqual([1, 5, 4, 3, 2, 6]);
    expect(events.pending).toBe(0);
    expect(events.get(2).data).toEqual({ n: 1 });
    expect(events.stats()).toMatchObject({ eventsStored: 6, currentEventCount: 6 });
  });

  test("what it held can be read, and is there later, with counters and listeners", async () => {
    const { events, kill, restart, clock } = eventScene();
    const told: number[] = [];
    events.subscribe(({ eventId }) => told.push(eventId));
    events.storeBatch([eventOf({ eventId: 1, timestamp: 5 }), eventOf({ eventId: 2 })]);
    events.pruneBefore(10);
    kill();
    expect(events.get(2)).toEqual(eventOf({ eventId: 2 }));
    expect(idsOf(events.query())).toEqual([2]);
    clock.advance(100);
    restart();
    events.store(eventOf({ eventId: 3 }));
    expect(events.stats()).toMatchObject({ eventsStored: 3, eventsPruned: 1, uptimeMs: 0 });
    await expect.poll(() => told).toEqual([1, 2, 3]);
    // The timer of the one before is not left behind.
    expect(clock.pending).toBe(1);
  });

  test("wrong events are refused at once, and a batch waits as a whole or not at all", () => {
    const { events, kill } = eventScene({}, { pendingEventsMax: 3 });
    kill();
    expect(codeOf(() => events.store(eventOf({ eventId: 0 })))?.[1]).toBe(2002);
    const batch = [1, 2, 3, 4].map((eventId) => eventOf({ eventId }));
    expect(codeOf(() => events.storeBatch(batch))).toEqual(["service_unavailable", 3000]);
    expect(events.pending).toBe(0);
    events.storeBatch(batch.slice(1));
    expect(codeOf(() => events.store(eventOf()))).toEqual(["service_unavailable", 3000]);
    expect(events.pending).toBe(3);
  });

  test("what waits is bounded in bytes", () => {
    const { events, kill } = eventScene({}, { pendingBytesMax: 2 << 20 });
    kill();
    const data = "x".repeat(900_000);
    events.store(eventOf({ eventId: 1, data }));
    events.store(eventOf({ eventId: 2, data }));
    expect(codeOf(() => events.store(eventOf({ eventId: 3, data })))?.[1]).toBe(3000);
    events.store(eventOf({ eventId: 3 }));
    expect(events.pending).toBe(3);
  });

  test("a service that has ended in order takes nothing any more", () => {
    const { events, core, kill } = eventScene();
    core().close();
    kill();
    expect(codeOf(() => events.store(eventOf()))).toEqual(["service_unavailable", 3000]);
  });
});

describe("the fallback", () => {
  const self: unknown[] = [() => 1, Symbol("s"), PID];
  self.push(self);

  test("makes events of data that cannot be kept [F234]", () => {
    const { events } = eventScene();
    const event = new EventFallback(events).newEventSafe("test", self, { parentId: 3 });
    expect(event).toMatchObject({ eventType: "test", parentId: 3 });
    expect(event.data).toEqual([
      "[function anonymous]",
      "[Symbol(s)]",
      PID.toString(),
      "[circular]",
    ]);
    expect(events.store(event)).toBe(event.eventId);
  });

  test("makes an event that says what is wrong where no other can be made [F235]", () => {
    const { events } = eventScene();
    const fallback = new EventFallback(events);
    const large = Array.from({ length: 200 }, () => "x".repeat(9_000));
    const event = fallback.newEventSafe("test", large);
    expect(event.eventType).toBe("test");
    expect(event.data).toMatchObject({
      original_data_error: expect.stringContaining("bytes") as string,
    });
    expect(fallback.newEventSafe("\ud800", 1).eventType).toBe("\ufffd");
    expect(fallback.newEventSafe(null as never, 1)).toMatchObject({
      eventType: "custom_event",
      data: 1,
    });
    expect(events.store(event)).toBe(event.eventId);
  });

  test("writes events as they are [F236]", () => {
    const { events } = eventScene();
    const fallback = new EventFallback(events);
    expect(fallback.deserializeSafe(fallback.serializeSafe(eventOf()))).toEqual(eventOf());
  });

  test("writes what can be said of an event that cannot be written [F237]", () => {
    const { events } = eventScene();
    const fallback = new EventFallback(events);
    const event = eventOf({ data: { run: () => 1, n: 1 } });
    expect(fallback.deserializeSafe(fallback.serializeSafe(event))).toEqual({
      ...event,
      data: { run: "[function run]", n: 1 },
    });
    for (const none of [null, 5, { eventType: 7, eventId: -1 }]) {
      const read = fallback.deserializeSafe(fallback.serializeSafe(none as never));
      expect(read.eventType).toMatch(/serialization_fallback|default/);
    }
  });

  test("reads events as they are [F238]", () => {
    const { events } = eventScene();
    const fallback = new EventFallback(events);
    expect(fallback.deserializeSafe(events.serialize(eventOf()))).toEqual(eventOf());
  });

  test("reads an event that says so out of bytes that hold none [F239]", () => {
    const { events } = eventScene();
    const fallback = new EventFallback(events);
    const event = fallback.deserializeSafe(Buffer.from("corrupted"));
    expect(event.eventType).toBe("deserialization_fallback");
    expect(event.data).toMatchObject({ binarySize: 9 });
    expect(fallback.deserializeSafe("text" as never).data).toMatchObject({ binarySize: null });
  });

  test("stores what it can, keeps what it cannot just now, and loses none of it [F240]", () => {
    const { events, kill, restart } = eventScene({}, { pendingEventsMax: 1 });
    const fallback = new EventFallback(events);
    expect(fallback.storeSafe(eventOf({ eventId: 1 }))).toMatchObject({
      eventId: 1,
      isStored: true,
    });
    kill();
    const receipts = [2, 3, 4].map((eventId) => fallback.storeSafe(eventOf({ eventId })));
    expect(receipts.map(({ isStored }) => isStored)).toEqual([true, false, false]);
    expect(receipts[1]?.error).toMatchObject({ code: "service_unavailable" });
    expect(fallback.stats()).toEqual({ kept: 2, dropped: 0 });
    expect(fallback.retryKept()).toEqual({ stored: 0, left: 2 });
    restart();
    expect(fallback.retryKept()).toEqual({ stored: 2, left: 0 });
    expect(idsOf(events.query({ orderBy: "eventId" }))).toEqual([1, 2, 3, 4]);
  });

  test("keeps no more than it may, and nothing that will never be stored [F241]", () => {
    const { events, core, kill } = eventScene();
    const fallback = new EventFallback(events, { keptEventsMax: 2 });
    core().close();
    kill();
    for (const eventId of [1, 2, 3]) fallback.storeSafe(eventOf({ eventId }));
    expect(fallback.stats()).toEqual({ kept: 2, dropped: 1 });
    expect(fallback.storeSafe(eventOf({ eventId: 0 })).error).toMatchObject({
      code: "type_mismatch",
    });
    expect(fallback.storeSafe(null as never)).toMatchObject({ eventId: undefined });
    expect(fallback.stats()).toEqual({ kept: 2, dropped: 1 });
    expect(codeOf(() => new EventFallback(events, { keptEventsMax: 0 }))?.[0]).toBe(
      "invalid_options",
    );
  });

  test("goes all the way: made, stored, killed, found, a warning where it is due [F245]", () => {
    const { events, kill, restart } = eventScene();
    const fallback = new EventFallback(events);
    const event = fallback.newEventSafe("test", { run: () => 1 });
    kill();
    expect(fallback.storeSafe({ ok: true, value: event }).isStored).toBe(true);
    expect(fallback.querySafe({ eventType: "test" })).toEqual({ events: [], warning: undefined });
    restart();
    expect(fallback.querySafe({ eventType: "test" })).toEqual({
      events: [event],
      warning: undefined,
    });
    const wrong = fallback.querySafe({ limit: 0 });
    expect(wrong.events).toEqual([]);
    expect(wrong.warning).toMatchObject({ code: "invalid_argument" });
  });
});
