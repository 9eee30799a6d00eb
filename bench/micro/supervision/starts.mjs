/** The clock of starting isolates, the same for all who can. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { percentilesOf } from "../../cluster/latency/round-trips.mjs";

/** A turn lasts until it has this many, however slow they are. */
const STARTS_MIN = 5;

/**
 * @typedef {object} Isolate
 * @property {(value: number) => Promise<number>} ask it answers value + 1
 * @property {() => Promise<unknown>} end resolves when it is gone
 *
 * Starts one after the other, each ended before the next, while no clock runs; the first is warmth.
 *
 * @param {() => Promise<() => Promise<Isolate>>} open resolves with what starts one
 */
export async function answerStarts(open) {
  try {
    const { timing } = parameters();
    endWithRunner();
    const start = await open();
    const timesMs = [];
    const until = performance.now() + timing.warmMs + timing.measureMs;
    for (let starts = 0; starts <= STARTS_MIN || performance.now() < until; starts++) {
      const startedAt = performance.now();
      const isolate = await start();
      if ((await isolate.ask(1)) !== 2) throw new Error("a wrong answer");
      if (starts > 0) timesMs.push(performance.now() - startedAt);
      await isolate.end();
    }
    report("result", { figures: { p50: percentilesOf(timesMs).p50 / 1_000 } });
  } catch (error) {
    fail(error);
  }
}
