import { FoundationError } from "../../base/errors.ts";
import { checkKeys, checkWord } from "../../base/option-checks.ts";
import { CREDIT_MODES } from "../credit-accounts.ts";
import type { ChannelChoice } from "./channels.ts";

/** What `sendOptimized` knows to do with a message, and the choice of it by itself. */
export const SEND_STRATEGIES = Object.freeze([
  "direct",
  "sharing",
  "refCountedBinary",
  "flowControlled",
  "auto",
] as const);

/** A way to send. */
export type SendStrategy = (typeof SEND_STRATEGIES)[number];

/** Who says when a message may go. */
export const FLOW_CONTROLS = Object.freeze(["automatic", ...CREDIT_MODES] as const);

/** Who says when a message may go. */
export type FlowControl = (typeof FLOW_CONTROLS)[number];

/** How a message is sent. Defaults: {@link OPTIMIZED_SEND_DEFAULTS}. */
export interface OptimizedSendOptions extends ChannelChoice {
  /**
   * `direct`: by reference inside the isolate, encoded to anywhere else, and only if there is room.
   * `sharing`: bytes in shared memory, by reference inside the isolate; bytes of an ArrayBuffer are
   * copied there once. `refCountedBinary`: bytes in shared memory that receivers in other isolates
   * of this node read in place, until they release them; to another node as `flowControlled`.
   * `flowControlled`: as `direct`, waiting for room in order. `auto`: `direct` where there is room,
   * else `flowControlled`; `refCountedBinary` for bytes that are counted already, where that pays.
   */
  readonly strategy?: SendStrategy;
  /**
   * `automatic`: waits until the receiver's mailbox and the way there have room, in order.
   * `creditBased`: this isolate has at most 64 messages at the receiver that it has not handled.
   * `manual`: the receiver says by `grant` how many it takes. Default: `automatic`; none for
   * `direct` and `sharing`, which do not wait.
   */
  readonly flowControl?: FlowControl;
  /** Longest wait, where it waits; then `timeout`. Unit: ms. Default: none. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`. Default: none. */
  readonly signal?: AbortSignal;
}

/** How a message is sent unless its options say otherwise. */
export const OPTIMIZED_SEND_DEFAULTS = Object.freeze({
  strategy: "auto", // no one has to know where a pid lives
});

const OPTIONS = ["strategy", "flowControl", "channel", "priority", "timeoutMs", "signal"];

/** How a message went, and what this isolate has copied for it. */
export interface SendReceipt {
  /** False: nothing was taken. Its receiver is full, or others wait before it. */
  readonly accepted: boolean;
  /** The way it went, which is never `auto`. */
  readonly strategy: Exclude<SendStrategy, "auto">;
  /**
   * Times that this isolate wrote it, or its receiver's place, to other memory, as counted where
   * that is done. Without the bundle's way into the ring, for many small messages at once, and the
   * receiver's copies.
   */
  readonly copies: number;
  /** Of those. Unit: bytes. */
  readonly copiedBytes: number;
}

/** Refuses options that cannot be honoured. `isHere`: the receiver is in this isolate. */
export function checkSendOptions(
  strategy: SendStrategy,
  options: OptimizedSendOptions,
  isHere: boolean,
): void {
  checkKeys("the options of sendOptimized", options, OPTIONS);
  const { flowControl, channel, priority, timeoutMs, signal } = options;
  checkWord("strategy", strategy, SEND_STRATEGIES);
  if (flowControl !== undefined) checkWord("flowControl", flowControl, FLOW_CONTROLS);
  if (isHere && (channel !== undefined || priority !== undefined)) {
    refuse("a receiver in this isolate is reached without a channel, hence without a priority");
  }
  const waits = flowControl !== undefined || (strategy !== "direct" && strategy !== "sharing");
  if (!waits && (timeoutMs !== undefined || signal !== undefined)) {
    refuse(`timeoutMs and signal need a flowControl with '${strategy}', which does not wait`);
  }
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
