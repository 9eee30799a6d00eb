import { FoundationError } from "../../base/errors.ts";
import { type Home, isSameHome, type Pid } from "../../base/pid.ts";
import { toShared } from "../memory/binaries.ts";
import { BACKPRESSURE_DEFAULTS } from "./backpressure.ts";
import type { Attempted } from "./receiver-queue.ts";
import type { ReceiverQueues } from "./receiver-queues.ts";

/** What `sendOptimized` knows to do with a message, and the choice of it by itself. */
export const SEND_STRATEGIES = Object.freeze([
  "direct",
  "sharing",
  "flowControlled",
  "auto",
] as const);

/** A way to send. */
export type SendStrategy = (typeof SEND_STRATEGIES)[number];

/** How a message is sent. Defaults: {@link OPTIMIZED_SEND_DEFAULTS}. */
export interface OptimizedSendOptions {
  /**
   * `direct`: by reference inside the isolate, encoded to anywhere else, and only if there is room.
   * `sharing`: bytes in shared memory, by reference inside the isolate; bytes of an ArrayBuffer are
   * copied there once. `flowControlled`: as `direct`, waiting for room in order. `auto`: `direct`
   * where there is room, else `flowControlled`.
   */
  readonly strategy?: SendStrategy;
  /** Channel, for a receiver of another isolate or node. Default: `default`. */
  readonly channel?: string;
  /**
   * `automatic`: waits for room, in order. `manual`: `accepted` is false where there is none, and
   * `processes.drained` says when to send again. Default: `automatic` for `flowControlled` and
   * `auto`, `manual` for `direct` and `sharing`.
   */
  readonly flowControl?: "automatic" | "manual";
}

/** How a message is sent unless its options say otherwise. */
export const OPTIMIZED_SEND_DEFAULTS = Object.freeze({
  strategy: "auto", // no one has to know where a pid lives
});

/** How a message went, and what this isolate has copied for it. */
export interface SendReceipt {
  /** False: nothing was taken. Its receiver is full, or others wait before it. */
  readonly accepted: boolean;
  /** The way it went, which is never `auto`. */
  readonly strategy: "direct" | "sharing" | "flowControlled";
  /**
   * Times that this isolate wrote it to other memory, as counted where that is done. Without the
   * bundle's way into the ring, for many small messages at once, and the receiver's copies.
   */
  readonly copies: number;
  /** Of those. Unit: bytes. */
  readonly copiedBytes: number;
}

/** Sends messages by the way that costs least, and says what it cost. */
export class OptimizedSender {
  readonly #queues: ReceiverQueues;
  readonly #home: Home;

  constructor(queues: ReceiverQueues, home: Home) {
    this.#queues = queues;
    this.#home = home;
  }

  /** See `Messages.sendOptimized`. */
  async send(pid: Pid, data: unknown, options: OptimizedSendOptions): Promise<SendReceipt> {
    const { strategy = OPTIMIZED_SEND_DEFAULTS.strategy, channel } = options;
    const isHere = isSameHome(pid.home, this.#home);
    check(strategy, options, isHere);
    if (strategy === "sharing") return this.#share(pid, data, options, isHere);
    const flowControl = options.flowControl ?? (strategy === "direct" ? "manual" : "automatic");
    const tried = this.#queues.send(pid, data, channel);
    if (tried.accepted || flowControl === "manual") {
      return { ...tried, strategy: strategy === "auto" ? "direct" : strategy };
    }
    const sent = await this.#wait(pid, data, channel);
    return { ...plus(tried, sent), strategy: strategy === "auto" ? "flowControlled" : strategy };
  }

  async #share(
    pid: Pid,
    data: unknown,
    { flowControl }: OptimizedSendOptions,
    isHere: boolean,
  ): Promise<SendReceipt> {
    if (!isHere) {
      const text = "'sharing' needs a receiver in this isolate: messages to others carry bytes";
      throw new FoundationError("invalid_options", text, { context: { pid: pid.toString() } });
    }
    if (!(data instanceof Uint8Array)) {
      throw new FoundationError("invalid_options", "'sharing' is for bytes: a Uint8Array");
    }
    const shared = toShared(data);
    const copied = shared === data ? NOT_COPIED : { copies: 1, copiedBytes: data.length };
    const tried = this.#queues.send(pid, shared, undefined);
    const sent =
      tried.accepted || flowControl !== "automatic"
        ? tried
        : await this.#wait(pid, shared, undefined);
    return { ...plus(copied, sent), strategy: "sharing" };
  }

  async #wait(pid: Pid, data: unknown, channel: string | undefined): Promise<Attempted> {
    const { queueMax } = BACKPRESSURE_DEFAULTS;
    if (this.#queues.waitingAt(pid, channel) >= queueMax) {
      return { accepted: false, ...NOT_COPIED };
    }
    return this.#queues.queue(pid, data, channel, {});
  }
}

const NOT_COPIED = Object.freeze({ copies: 0, copiedBytes: 0 });

type Copied = Pick<SendReceipt, "copies" | "copiedBytes">;

/** What a refused attempt has encoded was copied all the same. */
function plus(before: Copied, { accepted, copies, copiedBytes }: Attempted): Attempted {
  return {
    accepted,
    copies: before.copies + copies,
    copiedBytes: before.copiedBytes + copiedBytes,
  };
}

function check(strategy: string, options: OptimizedSendOptions, isHere: boolean): void {
  const { flowControl, channel } = options;
  const refuse = (text: string): never => {
    throw new FoundationError("invalid_options", text);
  };
  if (!(SEND_STRATEGIES as readonly string[]).includes(strategy)) {
    refuse(`strategy is one of ${SEND_STRATEGIES.join(", ")}`);
  }
  if (flowControl !== undefined && flowControl !== "automatic" && flowControl !== "manual") {
    refuse("flowControl is 'automatic' or 'manual'");
  }
  if (strategy === "flowControlled" && flowControl === "manual") {
    refuse("'flowControlled' waits for room: with flowControl 'manual' use 'direct'");
  }
  if (channel !== undefined && isHere) {
    refuse("a receiver in this isolate is reached without a channel");
  }
}
