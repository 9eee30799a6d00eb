import type { ClusterNode } from "../kernel/node.ts";
import type { Distribution } from "./distribution.ts";
import { noProcessError } from "./envelope.ts";
import type { Outward } from "./messages/outward.ts";
import type { ProcessRuntime } from "./runtime.ts";

/** What the messages of an isolate find in its node. */
export function outwardOf(
  node: ClusterNode,
  distribution: Distribution,
  runtime: ProcessRuntime,
): Outward {
  return {
    inlineBytesMax: node.inlineBytesMax,
    messageBytesMax: node.messageBytesMax,
    countBytes: (bytes) => node.countBytes(bytes),
    channelOfPriority: (priority) => node.channelOfPriority(priority),
    priorityOf: (channel) => node.priorityOf(channel),
    sendCounted: (...args) => distribution.sendCounted(...args),
    sendMany: (...args) => distribution.sendMany(...args),
    accountWith: (receiver, mode) => distribution.credits.accounts.with(receiver, mode),
    sendCredited: (...args) => distribution.sendCredited(...args),
    grant: (pid, messages) => {
      const process = runtime.find(pid);
      if (process === undefined) throw noProcessError(pid.toString());
      runtime.grant(process, messages);
    },
  };
}
