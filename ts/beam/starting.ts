import { FoundationError } from "../base/errors.ts";
import type { ProcessBody, Self, Spawnable, SpawnOptions } from "./process-types.ts";
import { describeReason, type ExitReason } from "./signals.ts";

/** A process whose start is waited for: says when its `init` is over. */
export class Starting {
  readonly body: ProcessBody<never>;
  readonly done: Promise<void>;
  readonly #label: string;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(body: Spawnable<never>) {
    const inner: ProcessBody<never> = typeof body === "function" ? { handle: body } : body;
    this.#label = typeof body === "function" ? body.name : body.constructor.name;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.body = {
      init: async (self: Self) => {
        await inner.init?.(self);
        this.#resolve();
      },
      handle: (message, self, delivery) => inner.handle(message, self, delivery),
      ...(inner.terminate !== undefined && {
        terminate: (reason: ExitReason, self: Self) => inner.terminate?.(reason, self),
      }),
    };
  }

  /** The options with what the process is, which the wrapping would hide. */
  labelled(options: SpawnOptions): SpawnOptions {
    return options.label === undefined ? { ...options, label: this.#label } : options;
  }

  /** The process ended before it had begun. */
  fail(reason: ExitReason): void {
    const text = `the process did not start: ${describeReason(reason)}`;
    const cause = reason instanceof Error ? { cause: reason } : {};
    this.#reject(new FoundationError("init_failed", text, { context: { reason }, ...cause }));
  }
}
