/** Messages a second from one process to another on loopback, counted where they arrive. */

import { createPair } from "./pair.mjs";
import { createCallRivals, createRivals } from "./rivals.mjs";
import { PAYLOADS } from "./stream.mjs";

const OURS = {
  receiver: new URL("ours/receiver.mjs", import.meta.url),
  sender: new URL("ours/sender.mjs", import.meta.url),
};
const OUR_CALLS = {
  receiver: new URL("ours/callee.mjs", import.meta.url),
  sender: new URL("ours/caller.mjs", import.meta.url),
};

/** Calls under way at a time: one shows the way there and back, many what the parties can do. */
const CONCURRENT_CALLS = [1, 64];

/** What docs/performance.md aims at, by case; the first of a case is the one its `ratio` is for. */
const TARGETS = {
  "64 B": [
    { vs: "disterl", ratio: 10 },
    { vs: "zeromq", ratio: 10 },
  ],
  "64 B view": [
    { vs: "socket-batched", ratio: 1.3 },
    { vs: "disterl", ratio: 20 },
    { vs: "limit", ratio: 0.8 },
  ],
  "1 KiB view": [{ vs: "disterl", ratio: 5 }],
  "8 KiB view": [{ vs: "disterl", ratio: 2 }],
  "64 KiB view": [
    { vs: "iperf3", ratio: 0.85 },
    { vs: "c-sender", ratio: 0.85 },
  ],
  "1 MiB view": [
    { vs: "iperf3", ratio: 0.85 },
    { vs: "c-sender", ratio: 0.85 },
  ],
  "small object": [
    { vs: "socket-batched", ratio: 1.5 },
    { vs: "zeromq", ratio: 5 },
  ],
};

/** Ours with default options and, for bytes, with views instead of copies at the receiver. */
function createVariants(payload, timing) {
  const createVariant = (name, bytes) => ({
    case: name,
    targets: TARGETS[name],
    measure: createPair({
      name: "ours",
      ...OURS,
      listener: "receiver",
      timing,
      parameters: { payload, bytes },
    }).measure,
  });
  const variants = [createVariant(payload.name, "copy")];
  if (payload.kind === "bytes") variants.push(createVariant(`${payload.name} view`, "view"));
  return variants;
}

function createStream(payload, timing) {
  return {
    case: payload.name,
    unit: "messages/s",
    better: "higher",
    ours: createVariants(payload, timing),
    peers: createRivals(payload, timing),
  };
}

function createCalls(concurrent, timing) {
  const name = `small object, ${concurrent} call${concurrent === 1 ? "" : "s"} at a time`;
  const ours = createPair({
    name: "ours",
    ...OUR_CALLS,
    listener: "receiver",
    counter: "sender",
    timing,
    parameters: { concurrent },
  });
  return {
    case: name,
    unit: "calls/s",
    better: "higher",
    ours: [{ case: name, measure: ours.measure }],
    peers: createCallRivals(concurrent, timing),
  };
}

/**
 * Seven payloads against every rival, ours twice where bytes can be copied or viewed, and calls
 * against those that have calls.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const nodeToNode = {
  name: "node-to-node",
  question: "messages/s and calls/s between two processes: sockets, brokers, RPC, Erlang",
  cases: (timing) => [
    ...PAYLOADS.map((payload) => createStream(payload, timing)),
    ...CONCURRENT_CALLS.map((concurrent) => createCalls(concurrent, timing)),
  ],
};
