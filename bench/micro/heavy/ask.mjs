/** The clocks of what isolates are asked, the same for all who can start one. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { percentilesOf } from "../../cluster/latency/round-trips.mjs";
import { collected } from "../memory/collected.mjs";

/** A turn of starts lasts until it has this many, however slow they are. */
const STARTS_MIN = 5;

/** Isolates that are kept to be weighed. */
const WEIGHED = 8;

/**
 * @typedef {object} Isolate
 * @property {(value: number) => Promise<number>} ask it answers value + 1
 * @property {() => Promise<unknown>} end resolves when it is gone
 */

async function assertAnswers(isolate, value) {
  const answered = await isolate.ask(value);
  if (answered !== value + 1) throw new Error(`${value} was answered with ${answered}`);
}

/** One after the other, each ended before the next, while no clock runs; the first is warmth. */
async function startTimes(start, { timing, idle }) {
  const [timesMs, startedMs] = [[], []];
  const until = performance.now() + timing.warmMs + timing.measureMs;
  for (let starts = 0; starts <= STARTS_MIN || performance.now() < until; starts++) {
    const startedAt = performance.now();
    const isolate = await start();
    const tookMs = performance.now() - startedAt;
    await assertAnswers(isolate, 1);
    if (starts > 0) {
      timesMs.push(performance.now() - startedAt);
      startedMs.push(tookMs);
    }
    await isolate.end();
  }
  const { p50, p99 } = percentilesOf(timesMs);
  // A bare worker's constructor answers before anything has begun: there is nothing to compare.
  const started = idle === undefined ? undefined : percentilesOf(startedMs).p50 / 1_000;
  return { p50: p50 / 1_000, p99: p99 / 1_000, started };
}

/** Calls under way at a time: one, and what a pool is for. */
export const CONCURRENT_CALLS = 16;

/** Calls after which the code of both sides is compiled, whoever they are. */
const WARM_CALLS = 10_000;

/** Calls of one isolate, so many under way at a time. */
async function callRate(isolate, concurrent, timing) {
  let [value, answers] = [0, 0];
  const callFor = async (durationMs, callsMin) => {
    const until = performance.now() + durationMs;
    while (performance.now() < until || answers < callsMin) {
      await assertAnswers(isolate, value++);
      answers++;
    }
  };
  const callAllFor = (durationMs, callsMin) =>
    Promise.all(Array.from({ length: concurrent }, () => callFor(durationMs, callsMin)));
  await callAllFor(timing.warmMs, WARM_CALLS);
  answers = 0;
  const startedAt = performance.now();
  await callAllFor(timing.measureMs, 0);
  return (answers * 1_000) / (performance.now() - startedAt);
}

async function callRates(start, { timing }) {
  const isolate = await start();
  const single = await callRate(isolate, 1, timing);
  return { single, many: await callRate(isolate, CONCURRENT_CALLS, timing) };
}

/** What the process has grown by for each isolate more; the first one pays what they share. */
async function weigh(start) {
  const kept = [await start()];
  await assertAnswers(kept[0], 1);
  const before = collected();
  while (kept.length <= WEIGHED) {
    const isolate = await start();
    await assertAnswers(isolate, kept.length);
    kept.push(isolate);
  }
  const after = collected();
  for (const isolate of kept) await isolate.end();
  return { resident: (after.residentBytes - before.residentBytes) / WEIGHED / 2 ** 20 };
}

const QUESTIONS = { start: startTimes, call: callRates, "heavy process": weigh };

/** @param {() => Promise<() => Promise<Isolate>>} open resolves with what starts an isolate */
export async function answerHeavy(open) {
  try {
    const asked = parameters();
    endWithRunner();
    report("result", { figures: await QUESTIONS[asked.question](await open(), asked) });
  } catch (error) {
    fail(error);
  }
}
