/** The rivals of node-to-node: how each is started, and which payloads it takes part in. */

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { measureLimit } from "../native/limit.mjs";
import { anyAbsence, freePort, packageAbsence, scratchFolder } from "../peers/installed.mjs";
import { natsAbsence, startNatsServer } from "../peers/nats/server.mjs";
import { withChildren, withDeadline } from "../processes.mjs";
import { createByteStreams } from "./byte-streams.mjs";
import { createDisterl } from "./disterl.mjs";
import { createPair } from "./pair.mjs";

const PEERS = new URL("../peers/", import.meta.url);

/** zeromq.js may hold this much on each side: its default of 1,000 messages is 1 GB at 1 MiB. */
const ZEROMQ_QUEUE_BYTES_MAX = 8 * 2 ** 20;
const ZEROMQ_QUEUE_MESSAGES_DEFAULT = 1000;

const LIMIT_ADDON = new URL("../native/build/Release/yardstick.node", import.meta.url);

/** The limit's warm-up begins before its processes run: this is the time they need to. */
const LIMIT_START_MS = 700;

/** A quarter of the limit's ring: a larger record would measure the ring's wrap, not its rate. */
const LIMIT_RECORD_BYTES_MAX = 64 * 1024;

/** From here on messages are long enough to be compared with a bare stream of bytes. */
const BYTE_STREAM_BYTES_MIN = 64 * 1024;

/** A rival of bench/peers, from the folder and the names of its two modules. */
function createPeer(name, folder, files, more) {
  return createPair({
    name,
    receiver: new URL(`${folder}/${files.receiver ?? "receiver.mjs"}`, PEERS),
    sender: new URL(`${folder}/${files.sender ?? "sender.mjs"}`, PEERS),
    listener: "receiver",
    ...more,
  });
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

function createZeromq(name, payload, timing, endpointOf) {
  const fitting = Math.floor(ZEROMQ_QUEUE_BYTES_MAX / (payload.bytes ?? 1));
  const messagesQueuedMax = Math.min(ZEROMQ_QUEUE_MESSAGES_DEFAULT, fitting);
  return createPeer(
    name,
    "zeromq",
    {},
    {
      timing,
      parameters: { payload, messagesQueuedMax },
      prepare: async () => ({ endpoint: endpointOf() }),
      absence: packageAbsence("zeromq"),
    },
  );
}

/** The sender forks the receiver, so this one is a single process to the runner. */
function createChildProcess(serialization, payload, timing) {
  const name = `ipc-${serialization}`;
  const sender = new URL("child-process/sender.mjs", PEERS);
  return {
    name,
    absence: async () => undefined,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const child = group.startNode(name, sender, { payload, timing, serialization });
        const { messages, seconds } = await child.event("result");
        return messages / seconds;
      }),
  };
}

/**
 * The rivals of a payload's stream; Distributed Erlang has no small object of JavaScript's.
 *
 * @param {import("./stream.mjs").Payload} payload
 * @param {import("../suites.mjs").Timing} timing
 */
export function createRivals(payload, timing) {
  const parameters = { payload };
  const plan = { timing, parameters };
  const socketFile = () => join(scratchFolder(), `${randomBytes(4).toString("hex")}.sock`);
  const sockets = (sender) => [{ sender }, { ...plan, listener: "sender" }];
  const peers = [
    createPeer("socket-write", "socket", ...sockets("write-sender.mjs")),
    createPeer("socket-batched", "socket", ...sockets("batching-sender.mjs")),
    createChildProcess("json", payload, timing),
    createChildProcess("advanced", payload, timing),
    createZeromq("zeromq", payload, timing, () => "tcp://127.0.0.1:*"),
    createZeromq("zeromq-ipc", payload, timing, () => `ipc://${socketFile()}`),
    createPeer(
      "nats",
      "nats",
      {},
      {
        ...plan,
        prepare: async (group) => ({ server: await startNatsServer(group) }),
        absence: natsAbsence,
      },
    ),
    createPeer("grpc", "grpc", {}, { ...plan, absence: packageAbsence("@grpc/grpc-js") }),
    createPeer("ws", "ws", {}, { ...plan, listener: "sender", absence: packageAbsence("ws") }),
    createPeer(
      "uws",
      "uws",
      { receiver: "../ws/receiver.mjs" },
      {
        ...plan,
        listener: "sender",
        absence: anyAbsence([uwsAbsence, packageAbsence("ws")]),
      },
    ),
  ];
  if (payload.kind === "bytes") peers.push(createDisterl(payload, timing));
  if (payload.bytes >= BYTE_STREAM_BYTES_MIN) peers.push(...createByteStreams(payload, timing));
  if (payload.bytes <= LIMIT_RECORD_BYTES_MAX) peers.push(createLimit(payload, timing));
  return peers;
}

/** Its author hands it out by git; the package of that name in npm's registry is empty. */
async function uwsAbsence() {
  const reason = await packageAbsence("uWebSockets.js")();
  return reason && "it is not in npm's registry: see bench/README.md";
}

/**
 * The rivals of calls.
 *
 * @param {number} concurrent calls under way at a time
 * @param {import("../suites.mjs").Timing} timing
 */
export function createCallRivals(concurrent, timing) {
  const files = { receiver: "callee.mjs", sender: "caller.mjs" };
  const plan = { counter: "sender", timing, parameters: { concurrent } };
  return [
    createPeer("grpc-unary", "grpc", files, { ...plan, absence: packageAbsence("@grpc/grpc-js") }),
    createPeer("nats-request", "nats", files, {
      ...plan,
      prepare: async (group) => ({ server: await startNatsServer(group) }),
      absence: natsAbsence,
    }),
    createPeer("moleculer", "moleculer", files, {
      ...plan,
      prepare: async () => ({ ports: { callee: await freePort(), caller: await freePort() } }),
      absence: packageAbsence("moleculer"),
    }),
  ];
}
