import { raise } from "../base/typed-events.ts";

/** What the queue runs: does some of its work and says whether there is more. */
export interface Runnable {
  /** Handles up to so many messages; true: there are more. */
  run(messagesMax: number): boolean;
}

/** Messages of one process before another one gets its turn. */
const TURN_MESSAGES = 128;
/** Runs between two looks at the clock, which costs as much as a message. */
const CLOCK_RUNS = 4;

/**
 * The processes of an isolate that have something to do, in turn. They run behind the present code,
 * for `budgetMs` at a time; then timers and I/O get theirs.
 */
export class RunQueue {
  readonly #budgetMs: number;
  #ready: Runnable[] = [];
  #next = 0;
  #isPlanned = false;
  /** When the present turn of the event loop began to run processes; 0 between turns. */
  #turnBeganAt = 0;
  #untilClock = CLOCK_RUNS;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  /** Number of processes that wait for their turn. */
  get size(): number {
    return this.#ready.length - this.#next;
  }

  /** Adds a process that is not in the queue. */
  push(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(this.#drain);
  }

  readonly #drain = (): void => {
    if (this.#turnBeganAt === 0) {
      this.#turnBeganAt = performance.now();
      setImmediate(this.#endTurn);
    }
    while (this.#next < this.#ready.length) {
      const runnable = this.#ready[this.#next++] as Runnable;
      try {
        if (runnable.run(TURN_MESSAGES)) this.#ready.push(runnable);
      } catch (thrown) {
        raise(thrown); // a defect, and no reason for the others to stand still
      }
      // The immediate that ends the turn goes on with what is left.
      if (--this.#untilClock <= 0 && this.#isBudgetUsedUp()) return this.#compact();
    }
    this.#ready = [];
    this.#next = 0;
    this.#isPlanned = false;
  };

  #isBudgetUsedUp(): boolean {
    this.#untilClock = CLOCK_RUNS;
    return performance.now() - this.#turnBeganAt > this.#budgetMs;
  }

  #compact(): void {
    this.#ready = this.#ready.slice(this.#next);
    this.#next = 0;
    this.#isPlanned = true;
  }

  readonly #endTurn = (): void => {
    this.#turnBeganAt = 0;
    if (this.#isPlanned) this.#drain();
  };
}
