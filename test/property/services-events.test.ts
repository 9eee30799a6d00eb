import fc from "fast-check";
import { expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";
import type { EventQuery } from "../../ts/services/events/hot/event-query.ts";
import { eventOf, eventScene } from "../unit/services-event-scene.ts";

const type = fc.constantFrom("a", "b", "c");
const correlationId = fc.option(fc.constantFrom("x", "y", "z", "w"));
const eventId = fc.integer({ min: 1, max: 60 });
// Within the hour that events are kept for.
const START = 1_700_000_000_000;
const timestamp = fc.integer({ min: START, max: START + 40 });

const event: fc.Arbitrary<FoundationEvent> = fc
  .record({ eventType: type, eventId, timestamp, correlationId, data: fc.jsonValue() })
  .map((fields) => eventOf(fields));

const query: fc.Arbitrary<EventQuery> = fc.record(
  {
    eventType: fc.oneof(type, fc.constant("none")),
    correlationId: fc.constantFrom("x", "y", "none"),
    timeRange: fc.tuple(timestamp, timestamp),
    orderBy: fc.constantFrom("eventId" as const, "timestamp" as const),
    descending: fc.boolean(),
    offset: fc.nat(10),
    limit: fc.integer({ min: 1, max: 20 }),
  },
  { requiredKeys: [] },
);

/** Found by seed 886833628. */
const PROTO: unknown = JSON.parse('{"a": {"__proto__": []}}');

/** Data as they come back: a key `__proto__` has the name that messages give it. */
function arriving(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(arriving);
  if (typeof data !== "object" || data === null) return data;
  const pairs = Object.entries(data).map(([key, value]) => [
    key === "__proto__" ? "__proto_" : key,
    arriving(value),
  ]);
  return Object.fromEntries(pairs) as unknown;
}

/** What a store has to do, done simply: a list. */
class Model {
  events: FoundationEvent[] = [];

  store(one: FoundationEvent): void {
    const kept = { ...one, data: arriving(one.data) };
    this.events = [...this.events.filter((other) => other.eventId !== one.eventId), kept];
  }

  prune(before: number): number {
    const { length } = this.events;
    this.events = this.events.filter((one) => one.timestamp >= before);
    return length - this.events.length;
  }

  query(wanted: EventQuery): FoundationEvent[] {
    const { descending = false, offset = 0, limit } = wanted;
    const key = wanted.orderBy === "eventId" ? "eventId" : "timestamp";
    const [from, to] = (wanted.timeRange as [number, number] | undefined) ?? [0, Number.MAX_VALUE];
    const found = this.events.filter(
      (one) =>
        (wanted.eventType === undefined || one.eventType === wanted.eventType) &&
        (wanted.correlationId === undefined || one.correlationId === wanted.correlationId) &&
        one.timestamp >= from &&
        one.timestamp <= to,
    );
    found.sort((a, b) => a[key] - b[key] || a.eventId - b.eventId);
    if (descending) found.reverse();
    return found.slice(offset, offset + (limit ?? found.length));
  }
}

type Step =
  | { readonly kind: "store"; readonly event: FoundationEvent }
  | { readonly kind: "batch"; readonly events: readonly FoundationEvent[] }
  | { readonly kind: "prune"; readonly before: number }
  | { readonly kind: "restart" }
  | { readonly kind: "query"; readonly query: EventQuery };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: event.map((one): Step => ({ kind: "store", event: one })) },
  fc.array(event, { maxLength: 8 }).map((events): Step => ({ kind: "batch", events })),
  timestamp.map((before): Step => ({ kind: "prune", before })),
  fc.constant<Step>({ kind: "restart" }),
  { weight: 3, arbitrary: query.map((one): Step => ({ kind: "query", query: one })) },
);

test("whatever is stored, pruned and restarted, queries find what a list would [F096 F102]", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { events, kill, restart } = eventScene();
      const model = new Model();
      let [stored, pruned] = [0, 0];
      for (const one of steps) {
        if (one.kind === "store") {
          stored += 1;
          events.store(one.event);
          model.store(one.event);
        } else if (one.kind === "batch") {
          stored += one.events.length;
          events.storeBatch(one.events);
          for (const inner of one.events) model.store(inner);
        } else if (one.kind === "prune") {
          const dropped = model.prune(one.before);
          pruned += dropped;
          expect(events.pruneBefore(one.before)).toBe(dropped);
        } else if (one.kind === "restart") {
          kill();
          restart();
        } else expect(events.query(one.query)).toEqual(model.query(one.query));
      }
      expect(events.query()).toEqual(model.query({}));
      for (const one of model.events) expect(events.get(one.eventId)).toEqual(one);
      expect(events.stats()).toMatchObject({
        eventsStored: stored,
        eventsPruned: pruned,
        currentEventCount: model.events.length,
      });
    }),
    { numRuns: 300, examples: [[[{ kind: "store", event: eventOf({ data: PROTO }) }]]] },
  );
});

test("many events out of order are found in order, also where runs split", () => {
  const spread = fc.array(fc.integer({ min: 1, max: 1_000_000 }), {
    minLength: 1_500,
    maxLength: 3_000,
  });
  fc.assert(
    fc.property(spread, fc.integer({ min: 1, max: 1_000_000 }), (ids, middle) => {
      const { events } = eventScene();
      for (const id of ids)
        events.store(eventOf({ eventId: id, timestamp: START - id, data: null }));
      const sorted = [...new Set(ids)].sort((a, b) => a - b);
      const idsOf = (found: readonly FoundationEvent[]): number[] =>
        found.map((one) => one.eventId);
      expect(idsOf(events.query({ orderBy: "eventId" }))).toEqual(sorted);
      const later = sorted.filter((id) => id > middle);
      expect(events.pruneBefore(START - middle)).toBe(later.length);
      const left = sorted.filter((id) => id <= middle);
      expect(idsOf(events.query({ eventType: "test" }))).toEqual([...left].reverse());
      for (const id of left.slice(0, 50)) expect(events.lookup(id)?.eventId).toBe(id);
      for (const id of later.slice(0, 50)) expect(events.lookup(id)).toBeUndefined();
    }),
    { numRuns: 15 },
  );
});

test("anything at all is stored or refused with a code, and the store works on [F097]", () => {
  const { events } = eventScene();
  const almost = fc.record(
    {
      eventType: fc.oneof(fc.string(), fc.anything()),
      eventId: fc.oneof(eventId, fc.anything()),
      timestamp: fc.oneof(timestamp, fc.anything()),
      hlc: fc.anything(),
      pid: fc.anything(),
      correlationId: fc.oneof(fc.string(), fc.anything()),
      data: fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(almost, fc.anything()), (what) => {
      const { eventsStored } = events.stats();
      let isStored = true;
      try {
        events.store(what as never);
      } catch (thrown) {
        isStored = false;
        expect(thrown).toBeInstanceOf(FoundationError);
      }
      expect(events.stats().eventsStored).toBe(eventsStored + (isStored ? 1 : 0));
    }),
    { numRuns: 500 },
  );
  expect(events.store(eventOf({ eventId: 77 }))).toBe(77);
});

test("any query finds events or is refused with a code [F098]", () => {
  const { events } = eventScene();
  for (let id = 1; id <= 20; id++) events.store(eventOf({ eventId: id, timestamp: START + id }));
  const wild = fc.record(
    {
      eventType: fc.oneof(fc.constant("test"), fc.anything()),
      correlationId: fc.oneof(fc.constant("operation"), fc.anything()),
      timeRange: fc.oneof(fc.tuple(timestamp, timestamp), fc.anything()),
      orderBy: fc.oneof(fc.constant("eventId"), fc.anything()),
      offset: fc.oneof(fc.nat(30), fc.anything()),
      limit: fc.oneof(fc.nat(30), fc.anything()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(wild, (one) => {
      try {
        expect(events.query(one as never).length).toBeLessThanOrEqual(20);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: "invalid_argument", numericCode: 2005 });
      }
    }),
    { numRuns: 500 },
  );
});

test("the events of a correlation id come in the order of time [F099 F103]", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (made) => {
      const { events } = eventScene();
      events.storeBatch(made);
      for (const id of ["x", "y", "z", "w"]) {
        const times = events.getByCorrelation(id).map((one) => one.timestamp);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }
    }),
  );
});

test("events made one after the other have times that do not go back [F103]", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 30 }), (pauses) => {
      const { events, clock } = eventScene();
      for (const pause of pauses) {
        clock.advance(pause);
        events.store(events.newEvent("test", pause, { correlationId: "x" }));
      }
      const chain = events.getCorrelationChain("x");
      expect(chain.map(({ data }) => data)).toEqual(pauses);
      const ids = chain.map((one) => one.eventId);
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
    }),
  );
});

test("parents form trees: each is older than its child, and all lead to a root [F100]", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 50 }), (choices) => {
      const { events } = eventScene();
      const ids: number[] = [];
      for (const choice of choices) {
        const parentId = ids.length === 0 ? null : (ids[choice % (ids.length + 1)] ?? null);
        ids.push(events.store(events.newEvent("test", null, { parentId })));
      }
      for (const id of ids) {
        let at = events.get(id);
        for (let steps = 0; at.parentId !== null; steps++) {
          expect(at.parentId).toBeLessThan(at.eventId);
          expect(steps).toBeLessThan(ids.length);
          at = events.get(at.parentId);
        }
      }
    }),
  );
});

test("a correlation id is that of all events which were given it [F101]", () => {
  const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(id, fc.integer({ min: 1, max: 40 }), fc.array(event), (shared, count, others) => {
      fc.pre(!others.some((one) => one.correlationId === shared));
      const { events } = eventScene();
      events.storeBatch(others);
      const made = Array.from({ length: count }, (_, n) => {
        return events.newEvent("test", n, { correlationId: shared });
      });
      events.storeBatch(made);
      expect(events.getByCorrelation(shared)).toEqual(made);
    }),
  );
});

test("calls of many at once leave no event that only some of the indexes have [F105]", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
      async (scheduler, batches) => {
        const { events } = eventScene();
        for (const [turn, batch] of batches.entries()) {
          void scheduler.schedule(Promise.resolve()).then(() => {
            if (turn % 3 === 0) events.pruneBefore(START + turn);
            else events.storeBatch(batch);
          });
        }
        await scheduler.waitAll();
        const all = events.query({ orderBy: "eventId" });
        const byType = ["a", "b", "c"].flatMap((one) => events.query({ eventType: one }));
        byType.sort((one, other) => one.eventId - other.eventId);
        expect(byType).toEqual(all);
        expect(events.query().length).toBe(all.length);
        expect(events.stats().currentEventCount).toBe(all.length);
        for (const one of all) {
          expect(events.get(one.eventId)).toEqual(one);
          if (one.correlationId === null) continue;
          expect(events.getByCorrelation(one.correlationId)).toContainEqual(one);
        }
      },
    ),
    { numRuns: 50 },
  );
});
