/** Shortest pause after a failure. Unit: ms. */
export const BACK_OFF_LEAST_MS = 1_000;
/** Longest pause between two attempts. Unit: ms. */
export const BACK_OFF_MOST_MS = 60_000;

/**
 * The pause after so many failures in a row: doubled from 1 s up to 60 s, and spread over its upper
 * half, so that those that failed together do not come again together.
 *
 * @param failures at least 1
 * @param random from 0 to below 1
 * @returns ms
 */
export function backOff(failures: number, random: number): number {
  const full = Math.min(BACK_OFF_MOST_MS, BACK_OFF_LEAST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.max(BACK_OFF_LEAST_MS, full * (0.5 + random / 2));
}
