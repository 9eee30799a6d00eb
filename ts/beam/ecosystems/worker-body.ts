import { isThenable } from "../../kernel/handlers.ts";
import type { Delivery } from "../envelope.ts";
import type { ProcessBody, Self, Spawnable } from "../process-types.ts";
import type { ExitReason } from "../signals.ts";

/** How work came to the ecosystem. */
export type WorkKind = Delivery["kind"];

/**
 * A piece of work on its way to a worker. It always goes as a call, whose answer says that it is
 * done; the worker's own code sees what the sender did.
 */
export interface Work {
  readonly kind: "ecosystem.work";
  readonly how: WorkKind;
  readonly message: unknown;
}

const UNANSWERED: Readonly<Record<"send" | "cast", Delivery>> = Object.freeze({
  send: Object.freeze({ kind: "send", from: undefined }),
  cast: Object.freeze({ kind: "cast", from: undefined }),
});

/** A worker: unpacks work for the process that it is. */
export class WorkerBody implements ProcessBody<unknown> {
  readonly #make: () => Spawnable<unknown> | Promise<Spawnable<unknown>>;
  #inner!: ProcessBody<unknown>;

  constructor(make: () => Spawnable<unknown> | Promise<Spawnable<unknown>>) {
    this.#make = make;
  }

  async init(self: Self): Promise<void> {
    const made = await this.#make();
    this.#inner = typeof made === "function" ? { handle: made } : made;
    await this.#inner.init?.(self);
  }

  handle(message: unknown, self: Self, delivery: Delivery): unknown {
    if (delivery.kind !== "call" || !isWork(message)) {
      return this.#inner.handle(message, self, delivery);
    }
    const { how, message: content } = message;
    if (how === "call") return this.#inner.handle(content, self, delivery);
    const result = this.#inner.handle(content, self, UNANSWERED[how]);
    return isThenable(result) ? result.then(done) : undefined;
  }

  terminate(reason: ExitReason, self: Self): unknown {
    return this.#inner?.terminate?.(reason, self);
  }
}

/** Nobody wants to know what came of it, only that it did. */
function done(): undefined {
  return undefined;
}

function isWork(message: unknown): message is Work {
  return (
    typeof message === "object" &&
    message !== null &&
    Reflect.get(message, "kind") === "ecosystem.work"
  );
}
