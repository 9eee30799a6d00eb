import { expect, test } from "vitest";
import { EventIds } from "../../ts/services/events/event-ids.ts";
import {
  extractCorrelationChain,
  filterByTimeRange,
  groupByCorrelation,
  transformEventData,
} from "../../ts/services/events/event-logic.ts";
import { plainCopy } from "../../ts/services/events/plain-copy.ts";
import { eventOf, PID } from "./services-event-scene.ts";
import { codeOf } from "./thrown-code.ts";

const EVENTS = [
  eventOf({ eventId: 1, timestamp: 30, correlationId: "a" }),
  eventOf({ eventId: 2, timestamp: 10, correlationId: "b" }),
  eventOf({ eventId: 3, timestamp: 10, correlationId: "a" }),
  eventOf({ eventId: 4, timestamp: 20, correlationId: null }),
];
const idsOf = (events: readonly { eventId: number }[]): number[] =>
  events.map(({ eventId }) => eventId);

test("a chain has the events of its id, the earliest first [F412]", () => {
  expect(idsOf(extractCorrelationChain(EVENTS, "a"))).toEqual([3, 1]);
  expect(extractCorrelationChain(EVENTS, "c")).toEqual([]);
});

test("groups are by correlation id; what has none is in none [F413]", () => {
  const groups = groupByCorrelation(EVENTS);
  expect([...groups].map(([id, events]) => [id, idsOf(events)])).toEqual([
    ["b", [2]],
    ["a", [3, 1]],
  ]);
});

test("a span of time has both of its ends [F414]", () => {
  expect(idsOf(filterByTimeRange(EVENTS, 10, 20))).toEqual([2, 3, 4]);
  expect(filterByTimeRange(EVENTS, 11, 19)).toEqual([]);
});

test("an event gets other data, and the first one keeps its own", () => {
  const [event] = EVENTS as [(typeof EVENTS)[0]];
  expect(transformEventData(event, (data) => [data])).toEqual({ ...event, data: [event.data] });
  expect(event.data).toEqual({ a: 1 });
  expect(codeOf(() => transformEventData(event, 5 as never))).toEqual(["invalid_argument", 2005]);
});

test("a plain copy says in words what bytes cannot, and ends where there is no end", () => {
  const self: Record<string, unknown> = { when: new Date(5), map: new Map([[PID, () => 1]]) };
  self["self"] = self;
  Object.defineProperty(self, "trap", {
    enumerable: true,
    get: () => {
      throw new Error("no");
    },
  });
  class Account {
    balance = 1n;
  }
  self["account"] = new Account();
  expect(plainCopy(self)).toEqual({
    when: new Date(5),
    map: new Map([[PID.toString(), "[function anonymous]"]]),
    self: "[circular]",
    trap: "[cannot be read]",
    account: { balance: 1n },
  });
  let deep: unknown = 1;
  for (let level = 0; level < 30; level++) deep = [deep];
  expect(JSON.stringify(plainCopy(deep))).toContain('"[deep]"');
  expect((plainCopy(Array.from({ length: 5_000 }, () => 1)) as unknown[]).length).toBe(1_000);
});

test("ids of two isolates never meet, and grow in each of them", () => {
  const now = (): number => 1_800_000_000_000;
  const [first, second] = [new EventIds(0, now), new EventIds(1, now)];
  const ids = [first, second].map((one) => Array.from({ length: 5_000 }, () => one.next()));
  expect(new Set(ids.flat()).size).toBe(10_000);
  for (const list of ids) expect([...list].sort((a, b) => a - b)).toEqual(list);
  expect(ids.flat().every(Number.isSafeInteger)).toBe(true);
});

test("ids stay above those that are in use, but not above those that somebody made up", () => {
  const ids = new EventIds(3, () => 1_800_000_000_000);
  const other = new EventIds(7, () => 1_800_000_100_000).next();
  ids.raise(other);
  expect(ids.peek()).toBeGreaterThan(other);
  ids.raise(Number.MAX_SAFE_INTEGER);
  expect(Number.isSafeInteger(ids.next())).toBe(true);
});
