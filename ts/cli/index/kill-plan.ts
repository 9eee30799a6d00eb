import type { KillOutcome } from "./cluster-run.ts";
import type { Dispatch } from "./dispatch.ts";

const SHARE_MIN = 0.4;
const SHARE_MAX = 0.6;

/**
 * When `--kill` strikes, and whom. Pure. Until it has struck, no more than 60 % of the bytes are
 * handed out, so the moment cannot slip by however fast the workers are; only a file that is
 * larger than the rest of that share moves it.
 */
export class KillPlan {
  readonly #dispatch: Dispatch;
  #killedAtMs = 0;
  #outcome: KillOutcome | undefined;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
    dispatch.limitAssignedShare(SHARE_MAX);
  }

  /** What was done; `undefined` before. */
  get outcome(): KillOutcome | undefined {
    return this.#outcome;
  }

  /** True for the worker whose end was ordered. */
  isVictim(worker: string): boolean {
    return this.#outcome?.worker === worker;
  }

  /**
   * The worker to kill now, if it is time: the one with the most files sent and not answered, as
   * its loss costs most. At least one other worker has to remain.
   */
  victim(unansweredFiles: ReadonlyMap<string, number>): string | undefined {
    if (this.#outcome !== undefined || unansweredFiles.size < 2) return undefined;
    const isDue = this.#dispatch.doneShare >= SHARE_MIN || this.#dispatch.isAssignedShareExceeded;
    if (!isDue) return undefined;
    let victim: string | undefined;
    let most = 0;
    for (const [worker, files] of unansweredFiles) {
      if (files > most) {
        victim = worker;
        most = files;
      }
    }
    return victim;
  }

  /** Takes note that the signal went out; the rest of the files may go out now. */
  killed(worker: string, unfinishedFiles: number, nowMs: number): void {
    this.#killedAtMs = nowMs;
    const atShare = this.#dispatch.doneShare;
    this.#outcome = { worker, atShare, unfinishedFiles, noticedAfterMs: undefined };
    this.#dispatch.close(worker);
    this.#dispatch.limitAssignedShare(undefined);
  }

  /** Takes note that the cluster missed the worker. */
  noticed(nowMs: number): void {
    if (this.#outcome === undefined) return;
    this.#outcome = { ...this.#outcome, noticedAfterMs: nowMs - this.#killedAtMs };
  }
}
