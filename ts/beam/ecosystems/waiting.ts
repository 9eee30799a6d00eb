/** A longer wait than Node's timers know is one without an end. Unit: ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Whether a promise resolves within a time. */
export async function within(limitMs: number, promise: Promise<void>): Promise<boolean> {
  let late: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    if (limitMs <= TIMER_MAX_MS) late = setTimeout(() => resolve(false), limitMs);
  });
  const isOver = await Promise.race([promise.then(() => true), timeout]);
  clearTimeout(late);
  return isOver;
}
