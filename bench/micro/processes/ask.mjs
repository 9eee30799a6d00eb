/** The clocks and scales of the questions that Node contenders are asked, the same for all. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { collected } from "../memory/collected.mjs";
import { rate } from "../rate.mjs";

/** Processes of one batch; they are ended between batches, while no clock runs. */
const BATCH = 20_000;
/** Processes that are alive at once, and each get a message. */
const MILLION = 1_000_000;
/** Processes that are kept to be weighed. */
const WEIGHED = 100_000;
/** Messages that are sent before the receiver is waited for. */
const BURST = 10_000;
/** Calls between two looks at the clock. */
const CALLS = 1_000;

const ignore = () => {};

/** Spawning alone is timed; the processes have to be there, and are ended afterwards. */
async function spawnRate({ start, endAll }, { warmMs, measureMs }) {
  let [done, passedMs, isWarm] = [0, 0, false];
  const startIdle = () => start(ignore);
  for (;;) {
    const startedAt = performance.now();
    const batch = Array.from({ length: BATCH }, startIdle);
    passedMs += performance.now() - startedAt;
    done += batch.length;
    await endAll(batch);
    if (!isWarm && passedMs >= warmMs) [done, passedMs, isWarm] = [0, 0, true];
    if (isWarm && passedMs >= measureMs) return { spawn: (done * 1_000) / passedMs };
  }
}

/** In bursts, so that the receiver is neither idle nor far behind; it checks the order. */
async function sendRate({ start, send }, timing) {
  let [next, last, onLast] = [0, -1, ignore];
  const receiver = await start((number) => {
    if (number !== next++) throw new Error(`${number} came in the place of ${next - 1}`);
    if (number === last) onLast();
  });
  let sent = 0;
  const sends = await rate(async () => {
    last = sent + BURST - 1;
    const done = new Promise((resolve) => {
      onLast = resolve;
    });
    while (sent <= last) {
      const room = send(receiver, sent);
      if (room === undefined) sent++;
      else await room;
    }
    await done;
    return BURST;
  }, timing);
  return { send: sends };
}

/** One call after the other. */
async function callRate({ server }, timing) {
  const call = await server();
  let value = 0;
  const calls = await rate(async () => {
    for (let each = 0; each < CALLS; each++) {
      const answered = await call(value);
      if (answered !== value + 1) throw new Error(`${value} was answered with ${answered}`);
      value = answered;
    }
    return CALLS;
  }, timing);
  return { call: calls };
}

/** A handler, and the promise that it had so many messages. */
function countDown(messages) {
  let [left, onLast] = [messages, ignore];
  const done = new Promise((resolve) => {
    onLast = resolve;
  });
  const onMessage = () => {
    if (--left === 0) onLast();
  };
  return { onMessage, done };
}

/** Starts so many at once, and waits until each of them has had a message. */
async function million({ start, send, endAll }) {
  const before = collected();
  const startedAt = performance.now();
  const { onMessage, done } = countDown(MILLION);
  const batch = [];
  for (let index = 0; index < MILLION; index++) batch.push(start(onMessage));
  for (const one of batch) send(one, 0);
  await done;
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = collected();
  await endAll(batch);
  return { seconds, resident: (after.residentBytes - before.residentBytes) / MILLION };
}

/** What a process takes that waits: before it has had a message, and after its first one. */
async function weigh({ start, send, endAll }) {
  const { onMessage, done } = countDown(WEIGHED);
  const kept = new Array(WEIGHED).fill(undefined);
  const before = collected();
  for (let index = 0; index < WEIGHED; index++) kept[index] = start(onMessage);
  const idle = collected();
  for (const one of kept) send(one, 0);
  await done;
  const after = collected();
  await endAll(kept);
  return {
    idle: (idle.heapBytes - before.heapBytes) / WEIGHED,
    used: (after.heapBytes - before.heapBytes) / WEIGHED,
    resident: (after.residentBytes - before.residentBytes) / WEIGHED,
  };
}

const QUESTIONS = {
  spawn: spawnRate,
  send: sendRate,
  call: callRate,
  "a million": million,
  "light process": weigh,
};

/**
 * @typedef {object} Contender
 * @property {(onMessage: (message: number) => void) => any} start a process; a promise of one only
 *   where it is asked neither `spawn` nor `a million`
 * @property {(batch: any[]) => Promise<void>} endAll ends them; throws if one was not alive
 * @property {(one: any, message: number) => Promise<unknown> | undefined} send undefined when it
 *   was taken, else what to wait for before it is sent again
 * @property {() => Promise<(value: number) => Promise<number>>} server it answers value + 1
 *
 * @param {() => Promise<Contender>} open
 */
export async function answer(open) {
  try {
    const { question, timing } = parameters();
    endWithRunner();
    report("result", { figures: await QUESTIONS[question](await open(), timing) });
  } catch (error) {
    fail(error);
  }
}
