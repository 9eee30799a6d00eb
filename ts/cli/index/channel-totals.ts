import type { FoundationNode } from "../../index.ts";
import type { ChannelTotals } from "./messages.ts";

/** What a node counted on one channel since its start; zeros for a channel it never used. */
export function channelTotals(node: FoundationNode, channel: string): ChannelTotals {
  const totals = node.metrics().channels[channel];
  return {
    bytesSent: Number(totals?.bytesSent ?? 0),
    bytesReceived: Number(totals?.bytesReceived ?? 0),
    messagesSent: Number(totals?.messagesSent ?? 0),
    messagesReceived: Number(totals?.messagesReceived ?? 0),
  };
}
