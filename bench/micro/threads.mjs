/** Messages a second from a worker thread to the main thread, counted where they arrive. */

import { SMALL_OBJECT } from "../cluster/stream.mjs";
import { withChildren } from "../processes.mjs";

const PAYLOADS = [{ name: "64 B", kind: "bytes", bytes: 64 }, SMALL_OBJECT];
const PEERS = ["post-message", "message-channel", "broadcast-channel"];

/** What docs/performance.md aims at, by case. */
const TARGETS = {
  "64 B": [{ vs: "post-message", ratio: 20 }],
  "small object": [{ vs: "post-message", ratio: 4 }],
};

function createContender(name, payload, timing) {
  const module = new URL(`threads/${name}.mjs`, import.meta.url);
  return {
    name,
    absence: async () => undefined,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const child = group.startNode(name, module, { payload, timing });
        const { messages, seconds } = await child.event("result");
        return messages / seconds;
      }),
  };
}

/**
 * Ours crosses a ring that the two isolates share; the rivals clone each message.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const threads = {
  name: "threads",
  question: "messages/s from a worker to the main thread: postMessage and the channels",
  cases: (timing) =>
    PAYLOADS.map((payload) => ({
      case: payload.name,
      unit: "messages/s",
      better: "higher",
      ours: [
        {
          case: payload.name,
          targets: TARGETS[payload.name],
          measure: createContender("ours", payload, timing).measure,
        },
      ],
      peers: PEERS.map((name) => createContender(name, payload, timing)),
    })),
};
