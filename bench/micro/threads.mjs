/** Messages and calls a second between a worker and the main thread. */

import { SMALL_OBJECT } from "../cluster/stream.mjs";
import { packageAbsence } from "../peers/installed.mjs";
import { withChildren } from "../processes.mjs";

const PAYLOADS = [{ name: "64 B", kind: "bytes", bytes: 64 }, SMALL_OBJECT];
const DIRECTIONS = ["worker to main", "main to worker"];
const PEERS = ["post-message", "message-channel", "broadcast-channel"];

/** What docs/performance.md aims at, by payload. */
const TARGETS = {
  "64 B": [{ vs: "post-message", ratio: 20 }],
  "small object": [{ vs: "post-message", ratio: 4 }],
};

/** Calls under way at a time: one shows the way there and back, sixteen what a pool is for. */
const CONCURRENT_CALLS = [1, 16];

function createContender(name, plan, path = `threads/${name}.mjs`) {
  const module = new URL(path, import.meta.url);
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

function createCalls(concurrent, timing) {
  const plan = { concurrent, timing };
  const name = `calls, ${concurrent} at a time`;
  return {
    case: name,
    unit: "calls/s",
    better: "higher",
    ours: [
      { case: name, measure: createContender("ours", plan, "threads/calls/ours.mjs").measure },
    ],
    peers: [
      createContender("post-message", plan, "threads/calls/post-message.mjs"),
      {
        ...createContender("piscina", plan, "../peers/piscina/caller.mjs"),
        absence: packageAbsence("piscina"),
      },
    ],
  };
}

/**
 * Ours crosses a ring that the two isolates share; the rivals clone each message.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const threads = {
  name: "threads",
  question: "messages/s and calls/s between a worker and the main thread: postMessage, piscina",
  cases: (timing) => [
    ...PAYLOADS.flatMap((payload) =>
      DIRECTIONS.map((direction) => createCase(payload, direction, timing)),
    ),
    ...CONCURRENT_CALLS.map((concurrent) => createCalls(concurrent, timing)),
  ],
};
