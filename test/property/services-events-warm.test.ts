import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type EventLogQuery,
  type LoggedEvent,
  WarmStore,
  type WarmStoreOptions,
} from "../../dist/ts/index.js";

const IDS = 40;
const TIMES = 24;

const text = fc.oneof(fc.constantFrom("a", "b", "ü€🙂", ""), fc.string({ maxLength: 4 }));
const time = fc.integer({ min: -2, max: TIMES }).map((at) => at / 2);
const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 90_000 }).map((n) => noise(n)) },
);
const event: fc.Arbitrary<LoggedEvent> = fc.record({
  eventId: fc.integer({ min: 1, max: IDS }),
  eventType: text,
  correlationId: fc.option(text, { nil: null }),
  timestamp: time,
  bytes,
});
const query: fc.Arbitrary<EventLogQuery> = fc.record(
  {
    eventType: text,
    correlationId: text,
    from: time,
    to: time,
    orderBy: fc.constantFrom("timestamp" as const, "eventId" as const),
    descending: fc.boolean(),
    offset: fc.integer({ min: 0, max: 5 }),
    limit: fc.integer({ min: 0, max: 30 }),
  },
  { requiredKeys: ["limit"] },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ append: fc.array(event, { maxLength: 5 }) }) },
  { weight: 5, arbitrary: fc.record({ query }) },
  { weight: 2, arbitrary: fc.record({ get: fc.integer({ min: 0, max: IDS + 1 }) }) },
  { weight: 1, arbitrary: fc.record({ prune: time }) },
  { weight: 1, arbitrary: fc.constant({ reopen: true as const }) },
);

/** Bytes that do not compress. */
function noise(length: number): Uint8Array {
  let state = length;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** What a store is: a plain list. */
class Model {
  events: LoggedEvent[] = [];

  append(batch: readonly LoggedEvent[]): void {
    for (const one of batch) {
      this.events = this.events.filter(({ eventId }) => eventId !== one.eventId);
      this.events.push(one);
    }
  }

  query({ eventType, correlationId, from, to, ...rest }: EventLogQuery): Uint8Array[] {
    const { orderBy = "timestamp", descending = false, offset = 0, limit } = rest;
    const found = this.events.filter((one) => {
      if (eventType !== undefined && one.eventType !== eventType) return false;
      if (correlationId !== undefined && one.correlationId !== correlationId) return false;
      return one.timestamp >= (from ?? -Infinity) && one.timestamp <= (to ?? Infinity);
    });
    found.sort((one, other) => one.eventId - other.eventId);
    if (orderBy === "timestamp") found.sort((one, other) => one.timestamp - other.timestamp);
    if (descending) found.reverse();
    return found.slice(offset, offset + limit).map((one) => one.bytes);
  }

  prune(before: number): number {
    const all = this.events.length;
    this.events = this.events.filter(({ timestamp }) => timestamp >= before);
    return all - this.events.length;
  }
}

const same = (found: readonly Uint8Array[], expected: readonly Uint8Array[]): void =>
  expect(found.map((one) => Buffer.from(one))).toEqual(expected.map((one) => Buffer.from(one)));

test.each([
  { compression: "none", durability: "process" },
  { compression: "gzip", durability: "disk" },
  { compression: "zstd", durability: "process" },
] as const)("a warm store with %o is a list that outlives its process", async (own) => {
  const check = async (
    steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
  ): Promise<void> => {
    const path = await mkdtemp(join(tmpdir(), "warm-model-"));
    const options: WarmStoreOptions = { ...own, path, maxSizeMb: 16 };
    let store = await WarmStore.open(options);
    try {
      const model = new Model();
      for (const one of steps) {
        if ("append" in one) {
          void store.append(one.append); // what comes next sees it without waiting
          model.append(one.append);
        } else if ("query" in one) {
          same(await store.query(one.query), model.query(one.query));
        } else if ("get" in one) {
          const held = model.events.find(({ eventId }) => eventId === one.get);
          const found = await store.get(one.get);
          same(found === undefined ? [] : [found], held === undefined ? [] : [held.bytes]);
        } else if ("prune" in one) {
          expect(await store.pruneBefore(one.prune)).toBe(model.prune(one.prune));
        } else {
          await store.close();
          store = await WarmStore.open(options);
        }
      }
      expect((await store.stats()).events).toBe(model.events.length);
      same(await store.query({ limit: 1_000 }), model.query({ limit: 1_000 }));
    } finally {
      await store.close();
      await rm(path, { recursive: true });
    }
  };
  const steps = fc.array(step, { minLength: 1, maxLength: 40 });
  await fc.assert(fc.asyncProperty(steps, check), { numRuns: 15 });
});
