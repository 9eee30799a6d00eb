import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { decodeEvent } from "../../ts/services/events/event-codec.ts";
import type { EventLog, EventLogQuery, LoggedEvent } from "../../ts/services/events/event-log.ts";
import { LogWriter } from "../../ts/services/events/log-writer.ts";
import { eventOf, eventScene } from "./services-event-scene.ts";

/** A log that acknowledges when it is told to. */
class HeldLog implements EventLog {
  readonly batches: LoggedEvent[][] = [];
  readonly #settlers: ((...error: unknown[]) => void)[] = [];
  query = async (_query: EventLogQuery): Promise<readonly Uint8Array[]> => {
    return this.batches.flat().map(({ bytes }) => bytes);
  };

  async append(batch: readonly LoggedEvent[]): Promise<void> {
    this.batches.push([...batch]);
    return new Promise((resolve, reject) => {
      this.#settlers.push((...errors) =>
        errors.length === 0 ? resolve() : reject(errors[0] as Error),
      );
    });
  }

  /** Acknowledges the append that waits longest, or refuses it with an error. */
  async settle(...error: [] | [unknown]): Promise<void> {
    await expect.poll(() => this.#settlers.length).toBeGreaterThan(0);
    this.#settlers.shift()?.(...error);
  }

  async get(eventId: number): Promise<Uint8Array | undefined> {
    return this.batches.flat().find((one) => one.eventId === eventId)?.bytes;
  }

  async pruneBefore(): Promise<number> {
    return 0;
  }

  async stats(): ReturnType<EventLog["stats"]> {
    return { events: 0, bytes: 0, eventIdMax: 0, appended: 0, pruned: 0 };
  }

  async close(): Promise<void> {}
}

function logged(bytesMax = 1 << 20): {
  log: HeldLog;
  failures: [unknown, number][];
} & ReturnType<typeof eventScene> {
  const log = new HeldLog();
  const failures: [unknown, number][] = [];
  const writer = new LogWriter(log, bytesMax, (...failure) => void failures.push(failure));
  return { log, failures, ...eventScene({ writer }) };
}

describe("an event that is recorded", () => {
  test("is acknowledged when the log has it, with what it is found by", async () => {
    const { events, log } = logged();
    const event = eventOf({ eventId: 7, correlationId: null });
    let id = 0;
    const recorded = events.record(event).then((given) => {
      id = given;
    });
    expect(events.get(7)).toEqual(event);
    await expect.poll(() => log.batches.length).toBe(1);
    expect(id).toBe(0);
    await log.settle();
    await recorded;
    expect(id).toBe(7);
    const [one] = log.batches[0] as [LoggedEvent];
    expect(one).toMatchObject({
      eventId: 7,
      eventType: "test",
      correlationId: null,
      timestamp: event.timestamp,
    });
    expect(decodeEvent(one.bytes)).toEqual(event);
    expect(events.stats()).toMatchObject({ logged: 1, unlogged: 0, waiting: 0 });
  });

  test("while the service is being restarted, too, and the log can be read", async () => {
    const { events, log, kill, restart } = logged();
    kill();
    let id = 0;
    const recorded = events.record(eventOf({ eventId: 7 })).then((given) => {
      id = given;
    });
    expect(await events.history()).toEqual([]);
    restart();
    await expect.poll(() => log.batches.length).toBe(1);
    expect(id).toBe(0);
    await log.settle();
    await recorded;
    expect(id).toBe(7);
  });

  test("in a batch of which the log has not all is refused", async () => {
    const { events, log } = logged(5_000);
    const batch = [100, 6_000, 100].map((length, at) =>
      eventOf({ eventId: at + 1, data: "x".repeat(length) }),
    );
    const recorded = events.recordBatch(batch);
    await expect(recorded).rejects.toMatchObject({ code: "resource_exhausted" });
    await log.settle();
    expect(log.batches.flat().map(({ eventId }) => eventId)).toEqual([1, 3]);
  });

  test("in a batch of several commits waits for each of them", async () => {
    const { events, log } = logged(16 << 20);
    const batch = Array.from({ length: 9_000 }, (_, at) => eventOf({ eventId: at + 1 }));
    const refused = expect(events.recordBatch(batch)).rejects.toThrow("no room");
    await log.settle(new Error("no room"));
    await log.settle();
    await refused;
    expect(log.batches.map(({ length }) => length)).toEqual([8_192, 808]);
  });

  test("in a batch of many bytes goes in several appends of at most 4 MiB", async () => {
    const { events, log } = logged(32 << 20);
    const data = "x".repeat(900_000);
    const recorded = events.recordBatch(
      Array.from({ length: 12 }, (_, at) => eventOf({ eventId: at + 1, data })),
    );
    for (let append = 0; append < 3; append++) await log.settle();
    await recorded;
    expect(log.batches.map(({ length }) => length)).toEqual([4, 4, 4]);
  });

  test("is refused where the service does not come back", async () => {
    const { events, core, kill } = logged();
    const last = core();
    kill();
    const recorded = events.record(eventOf({ eventId: 7 }));
    last.close();
    await expect(recorded).rejects.toMatchObject({ code: "service_unavailable" });
  });

  test("shares a commit with others, and later ones wait for theirs", async () => {
    const { events, log } = logged();
    const first = [1, 2, 3].map(async (eventId) => events.record(eventOf({ eventId })));
    await expect.poll(() => log.batches.length).toBe(1);
    const second = events.recordBatch([eventOf({ eventId: 4 }), eventOf({ eventId: 5 })]);
    events.store(eventOf({ eventId: 6 }));
    expect(events.stats().waiting).toBe(6);
    await log.settle();
    expect(await Promise.all(first)).toEqual([1, 2, 3]);
    await log.settle();
    expect(await second).toEqual([4, 5]);
    const batches = log.batches.map((batch) => batch.map(({ eventId }) => eventId));
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test("that the log refuses is stored and counted, and the next one has its chance", async () => {
    const { events, log, failures } = logged();
    const refused = new FoundationError("io_unavailable", "the disk is full");
    const recorded = events.record(eventOf({ eventId: 1 }));
    await log.settle(refused);
    await expect(recorded).rejects.toBe(refused);
    expect(failures).toEqual([[refused, 1]]);
    expect(events.get(1)).toEqual(eventOf({ eventId: 1 }));
    const next = events.record(eventOf({ eventId: 2 }));
    await log.settle();
    expect(await next).toBe(2);
    expect(events.stats()).toMatchObject({ logged: 1, unlogged: 1, waiting: 0 });
  });

  test("is refused also where the log says nothing of why", async () => {
    const { events, log, failures } = logged();
    const recorded = expect(events.record(eventOf())).rejects.toBeUndefined();
    await log.settle(undefined);
    await recorded;
    expect(failures).toEqual([[undefined, 1]]);
  });

  test("is refused by itself where whoever is told of that fails", async () => {
    const log = new HeldLog();
    const writer = new LogWriter(log, 1 << 20, () => {
      throw new Error("the failure failed");
    });
    const { events } = eventScene({ writer });
    const refused = expect(events.record(eventOf({ eventId: 1 }))).rejects.toThrow("no room");
    await log.settle(new Error("no room"));
    await refused;
    const next = events.record(eventOf({ eventId: 2 }));
    await log.settle();
    expect(await next).toBe(2);
    await writer.drained();
  });

  test("is refused where too many bytes are on their way", async () => {
    const { events, log } = logged(1_000);
    const first = events.record(eventOf({ eventId: 1, data: "x".repeat(600) }));
    const second = events.record(eventOf({ eventId: 2, data: "x".repeat(600) }));
    await expect(second).rejects.toMatchObject({ code: "resource_exhausted" });
    await log.settle();
    expect(await first).toBe(1);
    const third = events.record(eventOf({ eventId: 3, data: "x".repeat(600) }));
    await log.settle();
    expect(await third).toBe(3);
  });
});

test("all that was taken is waited for, also where later ones had no room", async () => {
  const log = new HeldLog();
  const writer = new LogWriter(log, 9 << 20, () => {});
  const { events } = eventScene({ writer });
  await writer.drained();
  const data = "x".repeat(900_000);
  for (let eventId = 1; eventId <= 12; eventId++) events.store(eventOf({ eventId, data }));
  let isDrained = false;
  const drained = writer.drained().then(() => {
    isDrained = true;
  });
  for (let settled = 1; settled <= 2; settled++) {
    await log.settle();
    await expect.poll(() => log.batches.length).toBe(settled + 1);
    expect(isDrained).toBe(false);
  }
  await log.settle();
  await drained;
  expect(events.stats()).toMatchObject({ logged: 10, unlogged: 2, waiting: 0 });
});

describe("what the hot store let go", () => {
  test("is found in the log", async () => {
    const { events, log } = logged();
    const recorded = events.record(eventOf({ eventId: 1 }));
    await log.settle();
    await recorded;
    events.pruneBefore(Number.MAX_VALUE);
    expect(events.lookup(1)).toBeUndefined();
    expect(await events.fetch(1)).toEqual(eventOf({ eventId: 1 }));
    expect(await events.fetch(2)).toBeUndefined();
    const queries: EventLogQuery[] = [];
    const { query } = log;
    log.query = async (one) => {
      queries.push(one);
      return query(one);
    };
    expect(await events.history({ eventType: "test" })).toEqual([eventOf({ eventId: 1 })]);
    await events.history({ timeRange: [5, Number.POSITIVE_INFINITY], limit: 3, descending: true });
    await events.history({ limit: undefined });
    expect(queries).toMatchObject([
      { eventType: "test", from: undefined, to: undefined, limit: 1_000, offset: 0 },
      { from: 5, to: undefined, limit: 3, descending: true, orderBy: "timestamp" },
      { limit: 1_000 },
    ]);
  });

  test("is gone where there is no log", async () => {
    const { events } = eventScene();
    expect(await events.record(eventOf({ eventId: 3 }))).toBe(3);
    expect(await events.find({ eventType: "test" })).toEqual([eventOf({ eventId: 3 })]);
    expect(await events.fetch(3)).toEqual(eventOf({ eventId: 3 }));
    await expect(events.history()).rejects.toMatchObject({
      code: "operation_not_supported",
      numericCode: 4001,
    });
    expect(await events.prune(Number.MAX_VALUE)).toBe(1);
    expect(await events.fetch(3)).toBeUndefined();
  });
});
