import { setMaxListeners } from "node:events";

/** The first reason why a run cannot go on, and a way to stop waiting as soon as there is one. */
export class RunFailure {
  readonly #controller = new AbortController();

  constructor() {
    // Each waiting feeder and call listens to it: a few for every worker.
    setMaxListeners(0, this.#controller.signal);
  }

  /** Aborts with the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Only the first reason counts. */
  set(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Resolves as the work does, or rejects with the reason of the failure if that comes first. */
  async orElse<Value>(work: Promise<Value>): Promise<Value> {
    const { signal } = this;
    let onAbort = (): void => {};
    const failed = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason as Error);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([work, failed]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
