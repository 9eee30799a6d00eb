/** The clocks of storing and finding, the same for all. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { rate } from "../../micro/rate.mjs";

/** Events that a program stores before its event loop turns. */
const BATCH = 1_000;
/** Bytes of an event, which do not compress. */
const EVENT_BYTES = 200;
/** Events of one correlation. */
const CORRELATED = 4;
/** Queries between two looks at the clock. */
const QUERIES = 50;

/**
 * @typedef {object} Store
 * @property {(event: object) => Promise<unknown>} append resolves when the event is durable
 * @property {(correlationId: string) => Promise<number>} find answers with how many there are
 * @property {() => Promise<unknown>} close
 */

const bytes = crypto.getRandomValues(new Uint8Array(EVENT_BYTES));
let last = 0;

function nextEvent() {
  last += 1;
  return {
    eventId: last,
    eventType: `type ${last % 20}`,
    correlationId: correlationOf(last),
    timestamp: 1_700_000_000_000 + last / 10,
    bytes,
  };
}

/** A text like a UUID, which does not grow with time. */
function correlationOf(eventId) {
  const group = Math.imul(Math.floor(eventId / CORRELATED), 0x9e37_79b1) >>> 0;
  return `${group.toString(16).padStart(8, "0")}-4d1c-4b5e-8f00-${"0".repeat(12)}`;
}

/** @param {(path: string, durability: string) => Promise<Store>} open */
export async function answer(open) {
  const path = await mkdtemp(join(tmpdir(), "foundation-bench-warm-"));
  try {
    const { durability, timing } = parameters();
    endWithRunner();
    const store = await open(path, durability);
    const stored = await rate(async () => {
      const appended = Array.from({ length: BATCH }, () => store.append(nextEvent()));
      await Promise.all(appended);
      return BATCH;
    }, timing);
    const newest = last - BATCH;
    const found = await rate(async () => {
      for (let query = 0; query < QUERIES; query++) {
        const eventId = newest - ((query * 7_919) % BATCH);
        const count = await store.find(correlationOf(eventId));
        if (count !== CORRELATED) throw new Error(`${count} events of ${eventId} were found`);
      }
      return QUERIES;
    }, timing);
    await store.close();
    report("result", { figures: { stored, found } });
  } catch (error) {
    fail(error);
  } finally {
    await rm(path, { recursive: true });
  }
}
