import { FoundationError } from "../../base/errors.ts";
import { type Home, isSameHome, type Pid } from "../../base/pid.ts";
import { release, slabOf } from "../../kernel/slabs.ts";
import type { CreditMode } from "../credit-accounts.ts";
import { toShared } from "../memory/binaries.ts";
import { BACKPRESSURE_DEFAULTS } from "./backpressure.ts";
import { channelFor } from "./channels.ts";
import {
  checkSendOptions,
  OPTIMIZED_SEND_DEFAULTS,
  type OptimizedSendOptions,
  type SendReceipt,
  type SendStrategy,
} from "./optimized-types.ts";
import type { Outward } from "./outward.ts";
import type { Attempted, Sending } from "./receiver-queue.ts";
import type { ReceiverQueues } from "./receiver-queues.ts";
import { counting, NOT_COPIED, type Sendings } from "./sendings.ts";
import { COUNTED_BYTES_MIN } from "./thresholds.ts";

type Copied = Pick<SendReceipt, "copies" | "copiedBytes">;

/** A message in the form that its strategy gives it. */
interface Prepared {
  readonly strategy: Exclude<SendStrategy, "auto">;
  readonly message: unknown;
  /** What that has copied. */
  readonly copied: Copied;
}

/** Sends messages by the way that costs least, and says what it cost. */
export class OptimizedSender {
  readonly #queues: ReceiverQueues;
  readonly #sendings: Sendings;
  readonly #outward: Outward;
  readonly #home: Home;

  constructor(queues: ReceiverQueues, sendings: Sendings, outward: Outward, home: Home) {
    this.#queues = queues;
    this.#sendings = sendings;
    this.#outward = outward;
    this.#home = home;
  }

  /** See `Messages.sendOptimized`. */
  async send(pid: Pid, data: unknown, options: OptimizedSendOptions): Promise<SendReceipt> {
    const { strategy = OPTIMIZED_SEND_DEFAULTS.strategy } = options;
    const isHere = isSameHome(pid.home, this.#home);
    checkSendOptions(strategy, options, isHere);
    const channel = channelFor(this.#outward, options);
    const prepared = this.#prepare(pid, data, strategy, isHere);
    try {
      return await this.#sendPrepared(pid, prepared, options, channel, isHere);
    } finally {
      // Counted for this message alone: from here on it is its reader's.
      if (!isHere && prepared.message !== data) release(prepared.message as Uint8Array);
    }
  }

  async #sendPrepared(
    pid: Pid,
    { message, strategy: taken, copied }: Prepared,
    options: OptimizedSendOptions,
    channel: string | undefined,
    isHere: boolean,
  ): Promise<SendReceipt> {
    const { strategy = OPTIMIZED_SEND_DEFAULTS.strategy, flowControl } = options;
    const way = this.#way(pid, message, taken === "refCountedBinary" && !isHere, channel);
    const isCredited = flowControl === "creditBased" || flowControl === "manual";
    const sending = isCredited ? this.#credited(way, pid, message, channel, flowControl) : way;
    const tried = plus(copied, this.#queues.send(pid, channel, sending));
    const waits = flowControl !== undefined || (strategy !== "direct" && strategy !== "sharing");
    if (tried.accepted || !waits) return { ...tried, strategy: taken };
    const waited = strategy === "auto" && taken === "direct" ? "flowControlled" : taken;
    return { ...plus(tried, await this.#wait(pid, channel, sending, options)), strategy: waited };
  }

  #prepare(pid: Pid, data: unknown, strategy: SendStrategy, isHere: boolean): Prepared {
    if (strategy === "sharing") return this.#shared(pid, data, isHere);
    if (strategy === "refCountedBinary") return this.#counted(pid, data, isHere);
    if (strategy !== "auto") return { strategy, message: data, copied: NOT_COPIED };
    const isCounted =
      pid.home.node === this.#home.node &&
      data instanceof Uint8Array &&
      data.length >= COUNTED_BYTES_MIN &&
      slabOf(data) !== undefined;
    const taken = isCounted && !isHere ? "refCountedBinary" : "direct";
    return { strategy: taken, message: data, copied: NOT_COPIED };
  }

  #shared(pid: Pid, data: unknown, isHere: boolean): Prepared {
    if (!isHere) {
      const text = "'sharing' needs a receiver in this isolate; 'refCountedBinary' reaches others";
      throw new FoundationError("invalid_options", text, { context: { pid: pid.toString() } });
    }
    const bytes = bytesOf(data, "sharing");
    const message = toShared(bytes);
    const copied = message === bytes ? NOT_COPIED : { copies: 1, copiedBytes: bytes.length };
    return { strategy: "sharing", message, copied };
  }

  #counted(pid: Pid, data: unknown, isHere: boolean): Prepared {
    const bytes = bytesOf(data, "refCountedBinary");
    // Another node gets bytes of its own, as with any message.
    const isNear = isHere || pid.home.node === this.#home.node;
    let message = bytes;
    const copied = counting(() => {
      if (isNear) message = this.#outward.countBytes(bytes);
      return true;
    });
    return { strategy: "refCountedBinary", message, copied };
  }

  #way(pid: Pid, message: unknown, isCounted: boolean, channel: string | undefined): Sending {
    return isCounted && slabOf(message as Uint8Array) !== undefined
      ? this.#sendings.counted(pid, message as Uint8Array, channel)
      : this.#sendings.plain(pid, message, channel);
  }

  #credited(
    way: Sending,
    pid: Pid,
    message: unknown,
    channel: string | undefined,
    mode: CreditMode,
  ): Sending {
    const waiting = (): number => this.#queues.waitingAt(pid, channel);
    return this.#sendings.credited(way, pid, message, channel, mode, waiting);
  }

  async #wait(
    pid: Pid,
    channel: string | undefined,
    sending: Sending,
    { timeoutMs, signal }: OptimizedSendOptions,
  ): Promise<Attempted> {
    const { queueMax } = BACKPRESSURE_DEFAULTS;
    if (this.#queues.waitingAt(pid, channel) >= queueMax) {
      return { accepted: false, ...NOT_COPIED };
    }
    return this.#queues.queue(pid, channel, sending, { timeoutMs, signal });
  }
}

function bytesOf(data: unknown, strategy: SendStrategy): Uint8Array {
  if (data instanceof Uint8Array) return data;
  throw new FoundationError("invalid_options", `'${strategy}' is for bytes: a Uint8Array`);
}

/** What a refused attempt has encoded was copied all the same. */
function plus(before: Copied, { accepted, copies, copiedBytes }: Attempted): Attempted {
  return {
    accepted,
    copies: before.copies + copies,
    copiedBytes: before.copiedBytes + copiedBytes,
  };
}
