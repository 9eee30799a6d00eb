import { getHeapStatistics } from "node:v8";
import { isThenable } from "../../base/thenable.ts";
import { type Delivery, type From, NO_REPLY } from "../envelope.ts";
import type { ProcessBody, Self, Spawnable } from "../process-types.ts";
import type { ExitReason } from "../signals.ts";
import type { ApartFields } from "./work-payloads.ts";

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
  /** Its bytes go ahead of it, in shared memory. */
  readonly apart?: ApartFields;
  /** Whether the answer is {@link MeasuredAnswer}. */
  readonly isMeasured?: true;
}

/** An answer, and what the worker's isolate has taken by then. */
export interface MeasuredAnswer {
  readonly value: unknown;
  /** Heap, and what V8 counts outside of it. Unit: bytes. */
  readonly usedBytes: number;
}

/** What a worker does beside its work. */
export interface WorkerHooks {
  /** A message with its bytes. */
  readonly restored?: (message: unknown, apart: ApartFields) => Promise<unknown>;
  readonly afterWork?: () => void;
}

const UNANSWERED: Readonly<Record<"send" | "cast", Delivery>> = Object.freeze({
  send: Object.freeze({ kind: "send", from: undefined }),
  cast: Object.freeze({ kind: "cast", from: undefined }),
});

/** A worker: unpacks work for the process that it is. */
export class WorkerBody implements ProcessBody<unknown> {
  readonly #make: () => Spawnable<unknown> | Promise<Spawnable<unknown>>;
  readonly #hooks: WorkerHooks;
  #inner!: ProcessBody<unknown>;

  constructor(
    make: () => Spawnable<unknown> | Promise<Spawnable<unknown>>,
    hooks: WorkerHooks = {},
  ) {
    this.#make = make;
    this.#hooks = hooks;
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
    const { apart } = message;
    const { restored } = this.#hooks;
    if (apart === undefined || restored === undefined) {
      return this.#work(message, message.message, self, delivery);
    }
    return restored(message.message, apart).then((content) => {
      return this.#work(message, content, self, delivery);
    });
  }

  #work(
    { how, isMeasured = false }: { readonly how: WorkKind; readonly isMeasured?: boolean },
    content: unknown,
    self: Self,
    delivery: Delivery,
  ): unknown {
    const asked = isMeasured ? measured(delivery) : delivery;
    const result = this.#inner.handle(content, self, how === "call" ? asked : UNANSWERED[how]);
    const finish = (value: unknown): unknown => {
      this.#hooks.afterWork?.();
      // Of what was sent or cast, nobody wants to know what came of it, only that it did.
      const answer = how === "call" ? value : undefined;
      return isMeasured && answer !== NO_REPLY ? measure(answer) : answer;
    };
    return isThenable(result) ? result.then(finish) : finish(result);
  }

  terminate(reason: ExitReason, self: Self): unknown {
    return this.#inner?.terminate?.(reason, self);
  }
}

/** A call that is answered later is measured when it is. */
function measured({ kind, from }: Delivery): Delivery {
  const asked = from as From;
  return {
    kind,
    from: {
      reply: (value) => asked.reply(measure(value)),
      fail: (error) => asked.fail(error),
    },
  };
}

function measure(value: unknown): MeasuredAnswer {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return { value, usedBytes: heap + external };
}

function isWork(message: unknown): message is Work {
  return (
    typeof message === "object" &&
    message !== null &&
    Reflect.get(message, "kind") === "ecosystem.work"
  );
}
