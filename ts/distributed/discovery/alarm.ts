import type { Clock } from "../../base/clock.ts";

/** What a wait takes its time from, and what ends it. */
export interface WaitGround {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Ends a pause before its time. One that rings while nobody waits ends the next pause at once. */
export class Alarm {
  #isRung = false;
  #wake: (() => void) | undefined;

  /** There is something to look at. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves after a time, when the alarm rings, or when the signal is aborted. */
  async wait({ clock, signal }: WaitGround, delayMs: number): Promise<void> {
    if (!signal.aborted && !this.#isRung) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          cancel();
          signal.removeEventListener("abort", end);
          this.#wake = undefined;
          resolve();
        };
        const cancel = clock.after(delayMs, end);
        this.#wake = end;
        signal.addEventListener("abort", end, { once: true });
      });
    }
    this.#isRung = false;
  }
}
