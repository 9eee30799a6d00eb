import { DELAY_MS_MAX } from "../../base/option-checks.ts";

/** Whether a promise resolves within a time; a longer one than Node's timers know has no end. */
export async function within(limitMs: number, promise: Promise<void>): Promise<boolean> {
  let late: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    if (limitMs <= DELAY_MS_MAX) late = setTimeout(() => resolve(false), limitMs);
  });
  const isOver = await Promise.race([promise.then(() => true), timeout]);
  clearTimeout(late);
  return isOver;
}
