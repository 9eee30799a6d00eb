import type { Pid, ProcessBody, Processes, Self } from "../../index.ts";

/** A result as it came in, and from whom. */
interface Incoming {
  readonly message: unknown;
  readonly from: string;
}

/**
 * The process that takes note of results. They wait outside of it, so one that fails half way is
 * tried again by the next start, and none is lost; one that always fails uses up the restarts.
 */
export class Collector implements ProcessBody {
  readonly #processes: Processes;
  readonly #take: (message: unknown, from: string) => void;
  #waiting: Incoming[] = [];
  #pid: Pid | undefined;
  #isAwake = false;

  constructor(processes: Processes, take: (message: unknown, from: string) => void) {
    this.#processes = processes;
    this.#take = take;
  }

  /** For the handler of the channel: hands a result to the process. */
  add(message: unknown, from: string): void {
    this.#waiting.push({ message, from });
    this.#wake();
  }

  init(self: Self): void {
    this.#pid = self.pid;
    this.#isAwake = false;
    if (this.#waiting.length > 0) this.#wake();
  }

  handle(): void {
    const incoming = this.#waiting;
    let taken = 0;
    try {
      for (const { message, from } of incoming) {
        this.#take(message, from);
        taken++;
      }
    } finally {
      this.#waiting = incoming.slice(taken);
    }
    this.#isAwake = false;
  }

  #wake(): void {
    if (this.#isAwake || this.#pid === undefined) return;
    this.#isAwake = this.#processes.send(this.#pid, "results");
  }
}
