/** The clocks of events that are kept and found, the same for all. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { percentilesOf } from "../../cluster/latency/round-trips.mjs";

/** Most that are kept, and what there is to find. */
export const EVENTS_MAX = 100_000;

const TYPES = 20;
const OPERATIONS = EVENTS_MAX / 100;
const BATCH = 100;
/** Prepared while no clock runs, so that a turn is not about making them. */
const PREPARED = 20_000;
const QUERIES_MIN = 200;
const FOUND = 100;

/**
 * @typedef {object} Store
 * @property {(type: string, data: object, correlationId: string) => object} make
 * @property {(event: object) => unknown} store
 * @property {(events: object[]) => unknown} storeBatch
 * @property {(type: string, limit: number) => object[]} byType
 * @property {(id: string) => object[]} byCorrelation
 * @property {(from: number, to: number) => object[]} byTime both ends belong to it
 */

const typeOf = (index) => `type_${index % TYPES}`;
const operationOf = (index) => `operation-${index % OPERATIONS}`;

/**
 * Events a second of what `run` does with prepared ones, for so long with their making; the first
 * turn is warmth.
 */
function rateOf(make, run, measureMs) {
  let [events, passedMs, turn] = [0, 0, 0];
  const until = performance.now() + measureMs;
  while (turn < 2 || performance.now() < until) {
    const prepared = Array.from({ length: PREPARED }, (_, index) => make(index));
    const startedAt = performance.now();
    run(prepared);
    if (turn++ === 0) continue;
    passedMs += performance.now() - startedAt;
    events += PREPARED;
  }
  return (events * 1_000) / passedMs;
}

/** The 99th percentile of a query, of which each answer has to have so many events. Unit: µs. */
function queryTime(query, measureMs) {
  const timesMs = [];
  const until = performance.now() + measureMs;
  for (let index = 0; index < QUERIES_MIN || performance.now() < until; index++) {
    const startedAt = performance.now();
    const { length } = query(index);
    timesMs.push(performance.now() - startedAt);
    if (length !== FOUND) throw new Error(`${length} events were found, ${FOUND} are there`);
  }
  return percentilesOf(timesMs).p99;
}

/** @param {() => Promise<Store>} open */
export async function answer(open) {
  try {
    const { timing } = parameters();
    endWithRunner();
    const store = await open();
    const make = (index) => store.make(typeOf(index), { index, paid: true }, operationOf(index));
    const stored = rateOf(
      make,
      (events) => {
        for (const event of events) store.store(event);
      },
      timing.measureMs,
    );
    const batchesOf = (events) => {
      for (let at = 0; at < events.length; at += BATCH) {
        store.storeBatch(events.slice(at, at + BATCH));
      }
    };
    const batched = rateOf(make, batchesOf, timing.measureMs);
    const made = rateOf(
      (index) => index,
      (numbers) => {
        for (const index of numbers) store.store(make(index));
      },
      timing.measureMs,
    );
    // What is found: as many as are kept, the earlier ones gone.
    const kept = Array.from({ length: EVENTS_MAX }, (_, index) => make(index));
    for (const event of kept) store.store(event);
    const { timestamp } = kept[0];
    if (!(kept.at(-1).timestamp > timestamp)) throw new Error("time stands still");
    const byType = queryTime((index) => store.byType(typeOf(index), FOUND), timing.measureMs);
    const byCorrelation = queryTime(
      (index) => store.byCorrelation(operationOf(index)),
      timing.measureMs,
    );
    const byTime = queryTime((index) => {
      const first = (index * 997) % (EVENTS_MAX - FOUND);
      return store.byTime(kept[first].timestamp, kept[first + FOUND - 1].timestamp);
    }, timing.measureMs);
    const figures = { stored, batched, made, byType, byCorrelation, byTime };
    report("result", { figures });
  } catch (error) {
    fail(error);
  }
}
