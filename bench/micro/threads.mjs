/** Messages a second between a worker and the main thread, counted where they arrive. */

import { SMALL_OBJECT } from "../cluster/stream.mjs";
import { withChildren } from "../processes.mjs";

const PAYLOADS = [{ name: "64 B", kind: "bytes", bytes: 64 }, SMALL_OBJECT];
const DIRECTIONS = ["worker to main", "main to worker"];
const PEERS = ["post-message", "message-channel", "broadcast-channel"];

/** What docs/performance.md aims at, by payload. */
const TARGETS = {
  "64 B": [{ vs: "post-message", ratio: 20 }],
  "small object": [{ vs: "post-message", ratio: 4 }],
};

function createContender(name, plan) {
  const module = new URL(`threads/${name}.mjs`, import.meta.url);
  return {
    name,
    absence: async () => undefined,
    measure: () =>
      withChildren(plan.timing.deadlineMs, async (group) => {
        const child = group.startNode(name, module, plan);
        const { messages, seconds } = await child.event("result");
        return messages / seconds;
      }),
  };
}

function createCase(payload, direction, timing) {
  const plan = { payload, direction, timing };
  const createVariant = (name, bytes) => ({
    case: `${name}, ${direction}`,
    targets: TARGETS[payload.name],
    measure: createContender("ours", { ...plan, bytes }).measure,
  });
  const ours = [createVariant(payload.name, "copy")];
  if (payload.kind === "bytes") ours.push(createVariant(`${payload.name} view`, "view"));
  return {
    case: `${payload.name}, ${direction}`,
    unit: "messages/s",
    better: "higher",
    ours,
    peers: PEERS.map((name) => createContender(name, plan)),
  };
}

/**
 * Ours crosses a ring that the two isolates share; the rivals clone each message.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const threads = {
  name: "threads",
  question: "messages/s between a worker and the main thread: postMessage and the channels",
  cases: (timing) =>
    PAYLOADS.flatMap((payload) =>
      DIRECTIONS.map((direction) => createCase(payload, direction, timing)),
    ),
};
