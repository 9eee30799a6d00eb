import type { Clock } from "../../../base/clock.ts";
import { abortError } from "../../../base/deadline.ts";

/**
 * Waits on a clock; the program stays alive for it.
 *
 * @throws FoundationError `aborted`
 */
export async function pause(
  clock: Clock,
  delayMs: number,
  signal?: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortError(signal));
    const onAbort = (): void => {
      cancel();
      reject(abortError(signal as AbortSignal));
    };
    const cancel = clock.after(
      delayMs,
      () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      },
      true,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
