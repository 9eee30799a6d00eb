/** The clocks of the questions that Node contenders are asked, the same for all of them. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";

/** Processes of one batch; they are ended between batches, while no clock runs. */
const BATCH = 100_000;
/** Processes that are kept to be weighed. */
const WEIGHED = 200_000;
/** Processes that are alive at once, and each get a message. */
const MILLION = 1_000_000;
/** Messages between two answers of the receiver. */
const BURST = 10_000;

/** Does `work` until the time is over; resolves with how much it did a second. */
async function rate(work, { warmMs, measureMs }) {
  for (const durationMs of [warmMs, measureMs]) {
    let [done, passedMs] = [0, 0];
    while (passedMs < durationMs) {
      const startedAt = performance.now();
      done += await work();
      passedMs += performance.now() - startedAt;
    }
    if (durationMs === measureMs) return (done * 1_000) / passedMs;
  }
  throw new Error("the two clocks have to differ");
}

/** Spawning alone is timed; the processes have to be there, and are ended afterwards. */
async function spawnRate({ spawnIdle, endAll }, { warmMs, measureMs }) {
  let [done, passedMs, isWarm] = [0, 0, false];
  for (;;) {
    const startedAt = performance.now();
    const batch = Array.from({ length: BATCH }, spawnIdle);
    passedMs += performance.now() - startedAt;
    done += batch.length;
    await endAll(batch);
    if (!isWarm && passedMs >= warmMs) [done, passedMs, isWarm] = [0, 0, true];
    if (isWarm && passedMs >= measureMs) return (done * 1_000) / passedMs;
  }
}

function heapBytes() {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

async function bytesEach({ spawnIdle }) {
  const kept = new Array(WEIGHED).fill(undefined);
  const before = heapBytes();
  for (let index = 0; index < WEIGHED; index++) kept[index] = spawnIdle();
  const bytes = (heapBytes() - before) / WEIGHED;
  if (kept.some((one) => one === undefined)) throw new Error("a process is missing");
  return bytes;
}

/**
 * @typedef {object} Contender
 * @property {() => unknown} spawnIdle starts a process that waits for ever
 * @property {(batch: unknown[]) => Promise<void>} endAll ends them; throws if one was not alive
 * @property {() => { burst(messages: number): Promise<void> }} receiver `burst` resolves when the
 *   receiver has counted them all, and checks that they came in order
 * @property {() => Promise<{ call(value: number): Promise<number> }>} server answers value + 1
 * @property {(processes: number) => Promise<void>} [million] starts so many, sends each a message,
 *   and resolves when all are alive and have had theirs
 * @property {() => Promise<{ restart(): Promise<void> }>} [supervised] `restart` has a child throw,
 *   and resolves when its successor has answered a call
 *
 * @param {() => Promise<Contender>} open
 */
export async function answer(open) {
  try {
    const { question, timing } = parameters();
    endWithRunner();
    report("result", { figure: await figureOf(question, await open(), timing) });
  } catch (error) {
    fail(error);
  }
}

async function figureOf(question, contender, timing) {
  switch (question) {
    case "spawn":
      return spawnRate(contender, timing);
    case "bytes":
      return bytesEach(contender);
    case "send": {
      const receiver = contender.receiver();
      return rate(async () => {
        await receiver.burst(BURST);
        return BURST;
      }, timing);
    }
    case "call": {
      const server = await contender.server();
      let value = 0;
      return rate(async () => {
        for (let calls = 0; calls < 1_000; calls++) {
          const answered = await server.call(value);
          if (answered !== value + 1) throw new Error(`${value} was answered with ${answered}`);
          value = answered;
        }
        return 1_000;
      }, timing);
    }
    case "a million": {
      const startedAt = performance.now();
      await contender.million(MILLION);
      return (performance.now() - startedAt) / 1_000;
    }
    case "restart": {
      const supervised = await contender.supervised();
      const restarts = await rate(async () => {
        await supervised.restart();
        return 1;
      }, timing);
      return 1e6 / restarts;
    }
    default:
      throw new Error(`no question ${question}`);
  }
}
