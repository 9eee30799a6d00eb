/**
 * Calls of the small object, so many at a time, each answered with the object itself: what every
 * contender of a `calls` case makes and checks. A completed call is counted where it was made.
 */

import { createObject, MARK } from "./stream.mjs";

/** Keeps `count` calls under way until `isOver`, and checks every answer. */
async function keepCalling(call, count, { onAnswer, isOver }) {
  let next = 0;
  const callInTurn = async () => {
    while (!isOver()) {
      const sequence = next;
      next += 1;
      const answer = await call(createObject(sequence, MARK.none));
      if (answer.sequence !== sequence || answer.y !== sequence * 0.25) {
        throw new Error(`call ${sequence} was answered with ${JSON.stringify(answer)}`);
      }
      onAnswer();
    }
  };
  await Promise.all(Array.from({ length: count }, callInTurn));
}

/**
 * Makes calls for the time of a turn.
 *
 * @param {(object: ReturnType<typeof createObject>) => Promise<any>} call
 * @param {{ concurrent: number, timing: { warmMs: number, measureMs: number } }} plan
 * @returns {Promise<{ messages: number, seconds: number }>} completed calls of the measured time
 */
export async function makeCalls(call, { concurrent, timing }) {
  const warmUntil = performance.now() + timing.warmMs;
  let startedAt = 0;
  let completed = 0;
  let result;
  await keepCalling(call, concurrent, {
    isOver: () => result !== undefined,
    onAnswer() {
      const now = performance.now();
      if (startedAt === 0) {
        if (now >= warmUntil) startedAt = now;
        return;
      }
      if (result !== undefined) return;
      completed += 1;
      const passedMs = now - startedAt;
      if (passedMs < timing.measureMs) return;
      result = { messages: completed, seconds: passedMs / 1000 };
    },
  });
  return result;
}
