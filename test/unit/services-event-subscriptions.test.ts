import { describe, expect, test, vi } from "vitest";
import type { EventMessage } from "../../ts/services/events/event-subscriptions.ts";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";
import { eventOf, eventScene, PID } from "./services-event-scene.ts";
import { codeOf } from "./thrown-code.ts";

/** Lets those who are told of events have their turns. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const idsOf = (events: readonly FoundationEvent[]): number[] =>
  events.map(({ eventId }) => eventId);

describe("a listener", () => {
  test("is told of what is stored after it came, in order, and later than that", async () => {
    const { events } = eventScene();
    events.store(eventOf({ eventId: 1 }));
    const told: FoundationEvent[] = [];
    const stop = events.subscribe((event) => void told.push(event));
    events.store(eventOf({ eventId: 2 }));
    events.storeBatch([eventOf({ eventId: 4 }), eventOf({ eventId: 3 })]);
    expect(told).toEqual([]);
    await turns();
    expect(idsOf(told)).toEqual([2, 4, 3]);
    expect(told[0]).toEqual(eventOf({ eventId: 2 }));
    stop();
    stop();
    events.store(eventOf({ eventId: 5 }));
    await turns();
    expect(told).toHaveLength(3);
    expect(events.stats().subscriptions).toBe(0);
  });

  test.each([
    [{ eventType: "a" }, [1, 3]],
    [{ eventType: ["a", "c", "a"] }, [1, 3, 4]],
    [{ eventType: [] }, []],
    [{ correlationId: "x" }, [2, 3]],
    [{ eventType: "a", correlationId: "x" }, [3]],
    [{ where: ({ eventId }: FoundationEvent) => eventId > 2 }, [3, 4]],
  ])("is told of what its filter lets through: %j", async (filter, ids) => {
    const { events } = eventScene();
    const told: FoundationEvent[] = [];
    events.subscribe((event) => void told.push(event), filter);
    events.storeBatch([
      eventOf({ eventId: 1, eventType: "a" }),
      eventOf({ eventId: 2, eventType: "b", correlationId: "x" }),
      eventOf({ eventId: 3, eventType: "a", correlationId: "x" }),
      eventOf({ eventId: 4, eventType: "c" }),
    ]);
    await turns();
    expect(idsOf(told)).toEqual(ids);
  });

  test("that throws or rejects harms nobody and is counted", async () => {
    const { events } = eventScene();
    const told: number[] = [];
    events.subscribe(() => {
      throw new Error("thrown");
    });
    events.subscribe(async () => Promise.reject(new Error("rejected")));
    events.subscribe(() => {}, {
      where: () => {
        throw new Error("asked");
      },
    });
    events.subscribe(({ eventId }) => told.push(eventId));
    events.storeBatch([eventOf({ eventId: 1 }), eventOf({ eventId: 2 })]);
    await turns(10);
    expect(told).toEqual([1, 2]);
    expect(events.stats().failures).toBe(6);
  });

  test("is told of one event after the other, also where it takes its time", async () => {
    const { events } = eventScene();
    const steps: string[] = [];
    events.subscribe(async ({ eventId }) => {
      steps.push(`begin ${eventId}`);
      await turns(2);
      steps.push(`end ${eventId}`);
    });
    events.storeBatch([eventOf({ eventId: 1 }), eventOf({ eventId: 2 })]);
    await vi.waitFor(() => expect(steps).toHaveLength(4));
    expect(steps).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });

  test("that hangs holds up nobody and no more than its queue", async () => {
    const { events } = eventScene({}, { queueEventsMax: 10 });
    let calls = 0;
    events.subscribe(async () => {
      calls += 1;
      return new Promise<never>(() => {});
    });
    const told: number[] = [];
    events.subscribe(({ eventId }) => told.push(eventId));
    for (let eventId = 1; eventId <= 5; eventId++) {
      events.store(eventOf({ eventId }));
      await turns(1);
    }
    for (let eventId = 6; eventId <= 30; eventId++) {
      events.store(eventOf({ eventId }));
      await turns(1);
    }
    await turns();
    expect(calls).toBe(1);
    expect(told).toHaveLength(30);
    // One is with it and ten wait; the others it misses.
    expect(events.stats().dropped).toBe(19);
  });

  test("that stores events of its own is told of those, turn by turn", async () => {
    const { events } = eventScene();
    const told: number[] = [];
    events.subscribe(({ eventId }) => {
      told.push(eventId);
      if (eventId < 50) events.store(eventOf({ eventId: eventId + 1 }));
    });
    events.store(eventOf({ eventId: 1 }));
    await vi.waitFor(() => expect(told).toHaveLength(50));
    expect(events.stats()).toMatchObject({ dropped: 0, failures: 0 });
  });

  test("gets an event that nobody else can change any more", async () => {
    const { events } = eventScene();
    const told: FoundationEvent[] = [];
    events.subscribe((event) => void told.push(event));
    const data = { n: 1 };
    events.store(eventOf({ data }));
    data.n = 2;
    await turns();
    expect(told.map((event) => event.data)).toEqual([{ n: 1 }]);
  });
});

describe("a process", () => {
  test("is told by messages until it ends; those that it has no room for are counted", async () => {
    const sent: EventMessage[] = [];
    let down = (): void => {};
    const host = {
      send: (pid: unknown, message: EventMessage): boolean => {
        expect(pid).toBe(PID);
        return sent.push(message) < 3;
      },
      monitor: (_pid: unknown, onDown: () => void) => {
        down = onDown;
        return () => {};
      },
    };
    const { events } = eventScene({ host });
    events.subscribe(PID, { eventType: "test" });
    events.storeBatch([1, 2, 3].map((eventId) => eventOf({ eventId })));
    await turns();
    expect(sent.map(({ kind }) => kind)).toEqual(["EVENT", "EVENT", "EVENT"]);
    expect(sent[0]?.event).toEqual(eventOf());
    expect(events.stats()).toMatchObject({ subscriptions: 1, dropped: 1 });
    down();
    events.store(eventOf({ eventId: 4 }));
    await turns();
    expect(sent).toHaveLength(3);
    expect(events.stats().subscriptions).toBe(0);
  });
});

test("a store that ends in order watches nobody any more", () => {
  let watched = 0;
  const monitor = (): (() => void) => {
    watched += 1;
    return () => {
      watched -= 1;
    };
  };
  const { events, core } = eventScene({ host: { send: () => true, monitor } });
  const stop = events.subscribe(PID);
  events.subscribe(() => {});
  core().close();
  expect(watched).toBe(0);
  expect(events.stats().subscriptions).toBe(0);
  stop();
  expect(events.stats().subscriptions).toBe(0);
});

test("what was stored before a store ends in order is told of yet", async () => {
  const { events, core } = eventScene();
  const told: string[] = [];
  events.subscribe(({ eventType }) => told.push(eventType));
  events.store(events.newEvent("paid", {}));
  core().close();
  await turns();
  expect(told).toEqual(["paid"]);
});

test("subscriptions are bounded, and filters are checked", () => {
  const { events } = eventScene({}, { subscriptionsMax: 2 });
  const stop = events.subscribe(() => {});
  events.subscribe(() => {}, { eventType: "a" });
  expect(codeOf(() => events.subscribe(() => {}))?.[0]).toBe("resource_exhausted");
  stop();
  for (const filter of [{ eventType: 5 }, { correlationId: 5 }, { where: 5 }, { eventType: [5] }]) {
    expect(codeOf(() => events.subscribe(() => {}, filter as never))?.[0]).toBe("invalid_argument");
  }
  expect(codeOf(() => events.subscribe("listener" as never))?.[0]).toBe("invalid_argument");
  expect(events.stats().subscriptions).toBe(1);
});
