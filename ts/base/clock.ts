/** Stops a timer that has not run yet; afterwards it does nothing. */
export type CancelTimer = () => void;

/** Where services take time from, so that a test can hand them its own. */
export interface Clock {
  /** Time that never goes back. Unit: ms since an arbitrary moment. */
  now(): number;
  /** The time of day. Unit: ms since 1970. */
  wallNow(): number;
  /**
   * Calls `run` once, `delayMs` from now. Such a timer keeps no program alive unless it is asked
   * to: a wait that somebody awaits has to, else the program ends in the middle of it.
   */
  after(delayMs: number, run: () => void, keepsAlive?: boolean): CancelTimer;
}

/** The clock of the system. */
export const SYSTEM_CLOCK: Clock = Object.freeze({
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs: number, run: () => void, keepsAlive = false): CancelTimer {
    const timer = setTimeout(run, delayMs);
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
});
