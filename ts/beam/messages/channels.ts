import { FoundationError } from "../../base/errors.ts";
import type { Outward } from "./outward.ts";

/** On which channel a message goes to another isolate or node. */
export interface ChannelChoice {
  /** Channel, for a receiver of another isolate or node. Default: `default`. */
  readonly channel?: string;
  /**
   * Rank of the channel: the first one that this node declared with it. Unit: rank, 0 to 255, 0
   * most urgent. Default: that of the channel.
   */
  readonly priority?: number;
}

/** Largest rank of a channel. */
const PRIORITY_MAX = 255;

/**
 * The channel that is meant; undefined for the default one.
 *
 * @throws FoundationError `invalid_options` where no channel has the priority, or the channel has
 *   another one; `unknown_channel`
 */
export function channelFor(
  outward: Pick<Outward, "channelOfPriority" | "priorityOf">,
  { channel, priority }: ChannelChoice,
): string | undefined {
  if (priority === undefined) return channel;
  if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
    refuse(`priority is a whole number from 0 to ${PRIORITY_MAX}, not ${priority}`);
  }
  if (channel === undefined) {
    const found = outward.channelOfPriority(priority);
    return found ?? refuse(`this node has declared no channel of priority ${priority}`);
  }
  const declared = outward.priorityOf(channel);
  if (declared === undefined) {
    const text = `this node has declared no channel '${channel}'`;
    throw new FoundationError("unknown_channel", text, { context: { channel } });
  }
  if (declared !== priority) refuse(`channel '${channel}' has priority ${declared}`);
  return channel;
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
