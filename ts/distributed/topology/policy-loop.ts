import type { CancelTimer, Clock } from "../../base/clock.ts";

/** Decides now and then, one decision after the other, until it is stopped. */
export class PolicyLoop {
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #decide: () => Promise<boolean>;
  #cancel: CancelTimer | undefined;
  #isStopped = false;

  /** `decide` resolves with whether to go on. */
  constructor(clock: Clock, pollMs: number, decide: () => Promise<boolean>) {
    this.#clock = clock;
    this.#pollMs = pollMs;
    this.#decide = decide;
    this.#plan();
  }

  /** Ends it; a switch that is under way goes on. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #plan(): void {
    this.#cancel = this.#clock.after(this.#pollMs, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    if ((await this.#decide()) && !this.#isStopped) this.#plan();
  }
}
