import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkWord } from "../../base/option-checks.ts";
import type { Destination } from "../process-types.ts";
import type { ReceiverQueues } from "./receiver-queues.ts";
import type { Sendings } from "./sendings.ts";

/** What can happen to a message whose receiver is full. */
export const WHEN_FULL = Object.freeze(["drop", "queue", "redirect"] as const);

/** What happens to a message whose receiver is full. */
export type WhenFull = (typeof WHEN_FULL)[number];

/** How to send to a receiver that may be full. Defaults: {@link BACKPRESSURE_DEFAULTS}. */
export interface BackpressureOptions {
  /**
   * `drop`: it is lost, which the receipt says. `queue`: it waits here, in order. `redirect`: it
   * goes to `redirectTo`, and is lost if that one is full too.
   */
  readonly whenFull?: WhenFull;
  /** Of `redirect`: who gets it instead. Default: none. */
  readonly redirectTo?: Destination;
  /** Of `queue`: how many may wait at that receiver; one more is lost. Unit: messages. */
  readonly queueMax?: number;
  /** Of `queue`: longest wait, after which it is lost. Unit: ms. Default: none. */
  readonly timeoutMs?: number;
  /** Of `queue`: takes it out of the queue. Default: none. */
  readonly signal?: AbortSignal;
  /** Channel, where the receiver is elsewhere. Default: `default`. */
  readonly channel?: string;
}

/** How a message is sent to a receiver that may be full, unless its options say otherwise. */
export const BACKPRESSURE_DEFAULTS = Object.freeze({
  whenFull: "queue", // the one that loses nothing at once
  queueMax: 1_024, // a burst, far below what a mailbox holds
});

/** What became of a message at last. */
export type BackpressureOutcome =
  | { readonly outcome: "accepted" | "redirected" }
  | {
      readonly outcome: "dropped";
      /** `full`, or the code of the error that ended the wait. */
      readonly reason: string;
      /** What ended the wait. */
      readonly error?: unknown;
    };

/** What became of a message at once. */
export interface BackpressureReceipt {
  readonly outcome: "accepted" | "queued" | "dropped" | "redirected";
  /** Messages that wait at the receiver now, this one included. Unit: messages. */
  readonly waiting: number;
  /** Resolves with what became of it at last; never rejects. */
  readonly done: Promise<BackpressureOutcome>;
}

/** Counters of messages that were sent so, by what became of them at once, and later. */
export interface BackpressureCounts {
  accepted: number;
  queued: number;
  dropped: number;
  redirected: number;
  /** Of those queued: accepted later. */
  acceptedLater: number;
  /** Of those queued: lost by time, abort, or an error. */
  droppedLater: number;
}

/** Sends messages to receivers that may be full. */
export class Backpressure {
  readonly counts: BackpressureCounts = {
    accepted: 0,
    queued: 0,
    dropped: 0,
    redirected: 0,
    acceptedLater: 0,
    droppedLater: 0,
  };
  readonly #queues: ReceiverQueues;
  readonly #sendings: Sendings;

  constructor(queues: ReceiverQueues, sendings: Sendings) {
    this.#queues = queues;
    this.#sendings = sendings;
  }

  /** See `Messages.sendWithBackpressure`. */
  send(to: Destination, message: unknown, options: BackpressureOptions): BackpressureReceipt {
    check(options);
    const { whenFull = BACKPRESSURE_DEFAULTS.whenFull, redirectTo, channel, signal } = options;
    if (signal?.aborted === true) return this.#dropped(to, channel, "aborted");
    if (this.#isTaken(to, message, channel)) {
      return this.#receipt(to, channel, { outcome: "accepted" });
    }
    if (whenFull === "queue") return this.#queue(to, message, options);
    const isRedirected = redirectTo !== undefined && this.#isTaken(redirectTo, message, channel);
    if (isRedirected) return this.#receipt(to, channel, { outcome: "redirected" });
    return this.#dropped(to, channel, "full");
  }

  #isTaken(to: Destination, message: unknown, channel: string | undefined): boolean {
    const sending = this.#sendings.plain(to, message, channel);
    return this.#queues.send(to, channel, sending).accepted;
  }

  #receipt(
    to: Destination,
    channel: string | undefined,
    what: BackpressureOutcome,
  ): BackpressureReceipt {
    this.counts[what.outcome]++;
    const waiting = this.#queues.waitingAt(to, channel);
    return { outcome: what.outcome, waiting, done: Promise.resolve(what) };
  }

  #dropped(to: Destination, channel: string | undefined, reason: string): BackpressureReceipt {
    return this.#receipt(to, channel, { outcome: "dropped", reason });
  }

  #queue(to: Destination, message: unknown, options: BackpressureOptions): BackpressureReceipt {
    const { channel, timeoutMs, signal, queueMax = BACKPRESSURE_DEFAULTS.queueMax } = options;
    if (this.#queues.waitingAt(to, channel) >= queueMax) return this.#dropped(to, channel, "full");
    this.counts.queued++;
    const sending = this.#sendings.plain(to, message, channel);
    const accepted = this.#queues.queue(to, channel, sending, { timeoutMs, signal });
    const done = accepted.then(
      (): BackpressureOutcome => {
        this.counts.acceptedLater++;
        return { outcome: "accepted" };
      },
      (error: unknown): BackpressureOutcome => {
        this.counts.droppedLater++;
        const reason = error instanceof FoundationError ? error.code : "internal";
        return { outcome: "dropped", reason, error };
      },
    );
    return { outcome: "queued", waiting: this.#queues.waitingAt(to, channel), done };
  }
}

function check(options: BackpressureOptions): void {
  const { whenFull = BACKPRESSURE_DEFAULTS.whenFull, redirectTo, queueMax } = options;
  checkWord("whenFull", whenFull, WHEN_FULL);
  if ((whenFull === "redirect") !== (redirectTo !== undefined)) {
    refuse("redirectTo is needed by, and only by, whenFull 'redirect'");
  }
  if (whenFull !== "queue") {
    const { timeoutMs, signal } = options;
    if (queueMax !== undefined || timeoutMs !== undefined || signal !== undefined) {
      refuse(`queueMax, timeoutMs and signal are of whenFull 'queue': '${whenFull}' does not wait`);
    }
  }
  if (queueMax !== undefined) checkCount("queueMax", queueMax);
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
