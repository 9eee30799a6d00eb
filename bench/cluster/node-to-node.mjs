/** Messages a second from one process to another on loopback, counted where they arrive. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";

import { measureLimit } from "../native/limit.mjs";
import { withDeadline } from "../processes.mjs";
import { createDisterl } from "./disterl.mjs";
import { createPair } from "./pair.mjs";
import { PAYLOADS } from "./stream.mjs";

const OURS = {
  receiver: new URL("ours/receiver.mjs", import.meta.url),
  sender: new URL("ours/sender.mjs", import.meta.url),
};
const PEERS = new URL("../peers/", import.meta.url);

/** zeromq.js may hold this much on each side: its default of 1,000 messages is 1 GB at 1 MiB. */
const ZEROMQ_QUEUE_BYTES_MAX = 8 * 2 ** 20;
const ZEROMQ_QUEUE_MESSAGES_DEFAULT = 1000;

const LIMIT_ADDON = new URL("../native/build/Release/yardstick.node", import.meta.url);

/** The limit's warm-up begins before its processes run: this is the time they need to. */
const LIMIT_START_MS = 700;

/** A quarter of the limit's ring: a larger record would measure the ring's wrap, not its rate. */
const LIMIT_RECORD_BYTES_MAX = 64 * 1024;

async function zeromqAbsence() {
  try {
    createRequire(new URL("package.json", PEERS)).resolve("zeromq");
    return undefined;
  } catch {
    return "npm ci --prefix bench/peers installs it";
  }
}

/**
 * Our bare limit: a ring, a thread and a socket on each side and nothing else, in C++. It measures
 * records that fit its ring.
 */
function createLimit(payload, timing) {
  const { warmMs, measureMs, deadlineMs } = timing;
  return {
    name: "limit",
    absence: async () =>
      existsSync(LIMIT_ADDON) ? undefined : "node bench/native/build.mjs builds it",
    async measure() {
      const taken = measureLimit({
        recordBytes: payload.bytes,
        warmMs: warmMs + LIMIT_START_MS,
        measureMs,
      });
      return (await withDeadline(deadlineMs, taken)).messagesPerSecond;
    },
  };
}

/** The rivals of a payload; Distributed Erlang has no small object of JavaScript's. */
function createPeers(payload, timing) {
  const socketPeer = (name, sender) =>
    createPair({
      name,
      receiver: new URL("socket/receiver.mjs", PEERS),
      sender: new URL(`socket/${sender}`, PEERS),
      listener: "sender",
      timing,
      parameters: { payload },
    });
  const fitting = Math.floor(ZEROMQ_QUEUE_BYTES_MAX / (payload.bytes ?? 1));
  const peers = [
    socketPeer("socket-write", "write-sender.mjs"),
    socketPeer("socket-batched", "batching-sender.mjs"),
    createPair({
      name: "zeromq",
      receiver: new URL("zeromq/receiver.mjs", PEERS),
      sender: new URL("zeromq/sender.mjs", PEERS),
      listener: "receiver",
      timing,
      parameters: {
        payload,
        messagesQueuedMax: Math.min(ZEROMQ_QUEUE_MESSAGES_DEFAULT, fitting),
      },
      absence: zeromqAbsence,
    }),
  ];
  if (payload.kind === "bytes") peers.push(createDisterl(payload, timing));
  if (payload.bytes <= LIMIT_RECORD_BYTES_MAX) peers.push(createLimit(payload, timing));
  return peers;
}

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

/**
 * Seven payloads against every rival; ours twice where bytes can be copied or viewed.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const nodeToNode = {
  name: "node-to-node",
  question: "messages/s between two processes: sockets, zeromq.js, Distributed Erlang",
  cases: (timing) =>
    PAYLOADS.map((payload) => ({
      case: payload.name,
      unit: "messages/s",
      better: "higher",
      ours: createVariants(payload, timing),
      peers: createPeers(payload, timing),
    })),
};
