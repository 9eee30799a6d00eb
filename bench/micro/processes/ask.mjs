/** The clocks of the questions that Node contenders are asked, the same for all of them. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";

/** Processes of one batch; they are ended between batches, while no clock runs. */
const BATCH = 20_000;
/** Processes that are alive at once, and each get a message. */
const MILLION = 1_000_000;
/** Messages that are sent before the receiver is waited for. */
const BURST = 10_000;
/** Calls between two looks at the clock. */
const CALLS = 1_000;

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

/** In bursts, so that the receiver is neither idle nor far behind; it checks the order. */
async function sendRate({ receiver }, timing) {
  let [next, last, onLast] = [0, -1, () => {}];
  const send = await receiver((number) => {
    if (number !== next++) throw new Error(`${number} came in the place of ${next - 1}`);
    if (number === last) onLast();
  });
  let sent = 0;
  return rate(async () => {
    last = sent + BURST - 1;
    const done = new Promise((resolve) => {
      onLast = resolve;
    });
    while (sent <= last) {
      const room = send(sent);
      if (room === undefined) sent++;
      else await room;
    }
    await done;
    return BURST;
  }, timing);
}

/** One call after the other. */
async function callRate({ server }, timing) {
  const call = await server();
  let value = 0;
  return rate(async () => {
    for (let calls = 0; calls < CALLS; calls++) {
      const answered = await call(value);
      if (answered !== value + 1) throw new Error(`${value} was answered with ${answered}`);
      value = answered;
    }
    return CALLS;
  }, timing);
}

async function millionSeconds({ million }) {
  const startedAt = performance.now();
  await million(MILLION);
  return (performance.now() - startedAt) / 1_000;
}

const QUESTIONS = {
  spawn: spawnRate,
  send: sendRate,
  call: callRate,
  "a million": millionSeconds,
};

/**
 * @typedef {object} Contender
 * @property {() => unknown} spawnIdle starts a process that waits for ever
 * @property {(batch: unknown[]) => Promise<void>} endAll ends them; throws if one was not alive
 * @property {(onMessage: (number: number) => void) => Send | Promise<Send>} receiver
 * @property {() => Promise<(value: number) => Promise<number>>} server it answers value + 1
 * @property {(processes: number) => Promise<void>} [million] starts so many, sends each a message,
 *   and resolves when all are alive and have had theirs
 *
 * @typedef {(number: number) => Promise<unknown> | undefined} Send undefined when it was taken, else
 *   what to wait for before it is sent again
 *
 * @param {() => Promise<Contender>} open
 */
export async function answer(open) {
  try {
    const { question, timing } = parameters();
    endWithRunner();
    report("result", { figure: await QUESTIONS[question](await open(), timing) });
  } catch (error) {
    fail(error);
  }
}
