/** How often something can be done. */

/**
 * Does `work` until the time is over; resolves with how much it did a second.
 *
 * @param {() => number | Promise<number>} work answers with how much it did
 * @param {{ warmMs: number, measureMs: number }} timing
 */
export async function rate(work, { warmMs, measureMs }) {
  await rateFor(work, warmMs);
  return rateFor(work, measureMs);
}

async function rateFor(work, durationMs) {
  let [done, passedMs] = [0, 0];
  while (passedMs < durationMs) {
    const startedAt = performance.now();
    done += await work();
    passedMs += performance.now() - startedAt;
  }
  return (done * 1_000) / passedMs;
}
