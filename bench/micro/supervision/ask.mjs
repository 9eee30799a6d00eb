/** The clocks of what supervisors on Node.js are asked, the same for all of them. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { percentilesOf } from "../../cluster/latency/round-trips.mjs";

/** Children beside the one that crashes; only a storm sends them anything. */
export const SIBLINGS = 10;
/** What each sibling is sent before each crash of a storm. */
const MESSAGES_EACH = 10;
/** Crashes between two looks at the clock, while a storm gets warm. */
const WARM_CRASHES = 20;

/**
 * @typedef {object} Supervised a child and {@link SIBLINGS} siblings, of one supervisor
 * @property {() => Promise<number>} crash has the child throw, and resolves when its successor has
 *   started, with when it threw (`performance.now()`)
 * @property {(value: number) => Promise<number>} ask the child; it answers value + 1
 * @property {(sibling: number, message: number) => Promise<void> | undefined} send a promise when
 *   there was no room at once
 * @property {() => Promise<readonly Counted[]>} counted what each sibling had, once it had all
 *
 * @typedef {object} Counted
 * @property {number} messages
 * @property {number} last the number that came last
 */

/** What a sibling does with a message: counts it; a number that is not a later one is an error. */
export class Counter {
  messages = 0;
  last = -1;

  /** @param {number} message */
  count(message) {
    if (message <= this.last) throw new Error(`${message} came after ${this.last}`);
    this.messages += 1;
    this.last = message;
  }
}

async function restart(supervised) {
  const crashedAt = await supervised.crash();
  if ((await supervised.ask(1)) !== 2) throw new Error("a wrong answer");
  return performance.now() - crashedAt;
}

async function restartTimes(supervised, { warmMs, measureMs }) {
  const warmUntil = performance.now() + warmMs;
  while (performance.now() < warmUntil) await restart(supervised);
  const timesMs = [];
  const until = performance.now() + measureMs;
  while (performance.now() < until) timesMs.push(await restart(supervised));
  const { p50, p99 } = percentilesOf(timesMs);
  return { p50, p99 };
}

/** Crashes while all siblings have messages waiting. */
async function crashAmong(supervised, crashes, firstNumber) {
  let number = firstNumber;
  for (let crash = 0; crash < crashes; crash++) {
    for (let each = 0; each < MESSAGES_EACH; each++, number++) {
      for (let sibling = 0; sibling < SIBLINGS; sibling++) {
        const isFull = supervised.send(sibling, number);
        if (isFull !== undefined) await isFull;
      }
    }
    await restart(supervised);
  }
  return number;
}

/** As many crashes as the turn has milliseconds, so that every contender bears the same storm. */
async function storm(supervised, { warmMs, measureMs }) {
  const warmUntil = performance.now() + warmMs;
  let sentWarm = 0;
  while (performance.now() < warmUntil) {
    sentWarm = await crashAmong(supervised, WARM_CRASHES, sentWarm);
  }
  const startedAt = performance.now();
  const sent = await crashAmong(supervised, measureMs, sentWarm);
  const passedMs = performance.now() - startedAt;
  const counted = await supervised.counted();
  if (counted.length !== SIBLINGS) throw new Error(`${counted.length} siblings have counted`);
  const came = counted.reduce((sum, { messages }) => sum + messages, 0);
  return { lost: sent * SIBLINGS - came, restarts: (measureMs * 1_000) / passedMs };
}

const QUESTIONS = { restart: restartTimes, storm };

/** @param {() => Promise<Supervised>} open */
export async function answer(open) {
  try {
    const { question, timing } = parameters();
    endWithRunner();
    report("result", { figures: await QUESTIONS[question](await open(), timing) });
  } catch (error) {
    fail(error);
  }
}
