/**
 * Wakes every loop that waits for a state to move on. A waiter checks its condition again after
 * each wake-up; nothing is lost between the check and the wait, as both run in one turn.
 */
export class Change {
  #waiters: (() => void)[] = [];

  /** Resolves at the next {@link notify}. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Wakes all who wait now. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
