import { FoundationError } from "../../base/errors.ts";
import { isThenable } from "../../base/thenable.ts";
import type { FreeWorker, OfferedWork } from "./coordinator-types.ts";

/** Asks a function or a process of the user's. */
export type AskForWorker = (work: OfferedWork, workers: readonly FreeWorker[]) => unknown;

/** What came of a question: the id of a worker, nobody for now, or nothing that is any use. */
export type Choice = { readonly id: string } | "wait" | "failed";

/** Has the user's own code choose workers, and bears what it does wrong. */
export class Chooser {
  readonly #ask: AskForWorker;
  readonly #onError: (error: unknown) => void;
  #asked = 0;
  #errors = 0;
  #lastError: unknown;

  /** `onError` hears of each failure. */
  constructor(ask: AskForWorker, onError: (error: unknown) => void) {
    this.#ask = ask;
    this.#onError = onError;
  }

  /** Its counts. */
  get counts(): { readonly asked: number; readonly errors: number; readonly lastError: unknown } {
    return { asked: this.#asked, errors: this.#errors, lastError: this.#lastError };
  }

  /**
   * One of the workers for a piece of work. `isWorking`: there is work under way; where there is
   * none, nothing would ever end a wait.
   */
  choose(
    work: OfferedWork,
    workers: readonly FreeWorker[],
    isWorking: boolean,
  ): Choice | Promise<Choice> {
    this.#asked++;
    try {
      const answer = this.#ask(work, workers);
      if (!isThenable(answer)) return this.#check(answer, workers, isWorking);
      return Promise.resolve(answer).then(
        (id) => this.#check(id, workers, isWorking),
        (thrown: unknown) => this.#fail(thrown),
      );
    } catch (thrown) {
      return this.#fail(thrown);
    }
  }

  #check(answer: unknown, workers: readonly FreeWorker[], isWorking: boolean): Choice {
    if (workers.some(({ id }) => id === answer)) return { id: answer as string };
    if (answer === undefined && isWorking) return "wait";
    const text =
      answer === undefined
        ? "the coordinator lets work wait while none is under way"
        : `the coordinator named '${String(answer)}', which is none of the free workers`;
    return this.#fail(new FoundationError("choice_failed", text));
  }

  #fail(error: unknown): "failed" {
    this.#errors++;
    this.#lastError = error;
    this.#onError(error);
    return "failed";
  }
}
