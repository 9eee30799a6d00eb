/** Waiting is counted in steps of this length. Unit: ms. */
const STEP_MS = 100;

/**
 * Calls back once this process has run for that long; answers what prevents it. A step counts as
 * one however late it comes: were this process stopped for a while, or the machine, its deadline
 * would else be over before what has arrived meanwhile is read.
 */
export function whenPatienceEnds(patienceMs: number, giveUp: () => void): () => void {
  let leftMs = patienceMs;
  const steps = setInterval(() => {
    leftMs -= STEP_MS;
    if (leftMs > 0) return;
    clearInterval(steps);
    giveUp();
  }, STEP_MS);
  return () => clearInterval(steps);
}
