/**
 * The grid of "Partisan: Scaling the Distributed Actor Runtime" (USENIX ATC 2019): actors that each
 * wait for an acknowledgement after a message, over sizes, distances, numbers of actors and of
 * connections. Two nodes in namespaces; the switch between them makes the distance.
 */

import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync } from "node:fs";

import { FaultyNetwork, networkAbsence } from "../../test/network/network.mjs";
import { withChildren } from "../processes.mjs";
import { compiledFolder, erlangAbsence } from "./disterl.mjs";
import { namespacesAbsence } from "./faults/cluster.mjs";

const OURS = {
  receiver: new URL("atc-grid/receiver.mjs", import.meta.url),
  sender: new URL("atc-grid/sender.mjs", import.meta.url),
};
const PORT = 9200;

/** `each`: messages of a sender in a turn, and in a quick one. */
const SIZES = [
  { name: "1 KB", bytes: 1024, each: [500, 50] },
  { name: "512 KB", bytes: 512 * 1024, each: [20, 3] },
  { name: "8 MB", bytes: 8192 * 1024, each: [3, 1] },
];
/** Round trips. Unit: ms. */
const DISTANCES = [1, 20];
const SENDERS = [16, 128];
/** Connections of a channel: one, and as many as there may be. */
const LANES = [1, 15];

/** The loopback, on which the paper delayed packets, has packets as long. Unit: bytes. */
const MTU = 65_000;
/** The slowest cell: 128 senders of 8 MB far away. Unit: ms. */
const TURN_MS = 300_000;

/** The columns of the paper's own results; `Time` is of all messages. Units: bytes, ms, µs. */
const COLUMNS =
  "App,Transport,Concurrency,Channels,Monotonic,Parallelism,Affinity,Size,Num,Latency,Time";

/** Appends a turn to the file that the environment names, as the paper's scripts do. */
function note({ transport, lanes, cell, each, seconds }) {
  const file = process.env["FOUNDATION_BENCH_CSV"];
  if (file === undefined) return;
  const { size, distanceMs, senders } = cell;
  const connections = ["false", lanes, lanes > 1];
  const measured = [size.bytes, each, distanceMs, Math.round(seconds * 1_000_000)];
  const line = ["echo", transport, senders, 1, ...connections, ...measured].join();
  appendFileSync(file, `${existsSync(file) ? "" : `${COLUMNS}\n`}${line}\n`);
}

/** Starts both ends of a turn in a group and resolves with the sender. */
async function startOurs(group, network, { cell, each, lanes }) {
  const options = (index) => ({
    listen: `${network.addressOf(index)}:${PORT}`,
    // In plain text, as the rival: what sealing costs is another suite's question.
    insecure: true,
    channels: { default: { lanes } },
  });
  const bytes = cell.size.bytes;
  const at = (index) => ({ within: network.within(index) });
  const parameters = { bytes, options: options(1) };
  const receiver = group.startNode("receiver", OURS.receiver, parameters, at(1));
  const { address: seed } = await receiver.event("listening");
  const plan = { bytes, senders: cell.senders, each, seed, options: options(0) };
  return { receiver, sender: group.startNode("sender", OURS.sender, plan, at(0)) };
}

async function startErlang(group, network, { cell, each }) {
  const cookie = randomBytes(16).toString("hex");
  const start = (role, index, words) => {
    const place = ["-name", `${role}@${network.addressOf(index)}`, "-setcookie", cookie];
    const found = ["-start_epmd", "false", "-erl_epmd_port", `${PORT}`, "-pa", compiledFolder()];
    const run = ["-run", "foundation_bench_acks", role, `${TURN_MS}`, ...words];
    const within = network.within(index);
    return group.start(`disterl ${role}`, "erl", ["-noinput", ...place, ...found, ...run], {
      within,
    });
  };
  const [bytes, senders] = [`${cell.size.bytes}`, `${cell.senders}`];
  const receiver = start("receiver", 1, [bytes, senders]);
  const { address } = await receiver.event("listening");
  return { receiver, sender: start("sender", 0, [address, bytes, senders, `${each}`]) };
}

/** One turn: acknowledged messages a second, of all senders together. */
async function measure(start, transport, plan) {
  const network = await FaultyNetwork.open({ nodes: 2, mtu: MTU });
  try {
    await network.everywhere({ delayMs: plan.cell.distanceMs / 2 });
    return await withChildren(TURN_MS, async (group) => {
      const { receiver, sender } = await start(group, network, plan);
      const result = await Promise.race([sender.event("result"), receiver.failure()]);
      note({ transport, ...plan, seconds: result.seconds });
      return result.messages / result.seconds;
    });
  } finally {
    await network.close();
  }
}

function createCase(cell, isQuick) {
  const name = `${cell.size.name}, ${cell.distanceMs} ms RTT, ${cell.senders} senders`;
  const each = cell.size.each[isQuick ? 1 : 0];
  const [single, most] = LANES;
  const caseOf = (lanes) => `${name}, ${lanes} ${lanes === 1 ? "lane" : "lanes"}`;
  const variant = (lanes) => ({
    case: caseOf(lanes),
    absence: namespacesAbsence,
    measure: () => measure(startOurs, "foundation", { cell, each, lanes }),
  });
  const beside = { "one lane": caseOf(single) };
  const targets = [
    { vs: "disterl", ratio: 1 },
    ...(cell.size.bytes > 1024 && cell.distanceMs > 1 ? [{ vs: "one lane", ratio: 1 }] : []),
  ];
  return {
    case: name,
    unit: "messages/s",
    better: "higher",
    ours: [variant(single), { ...variant(most), beside, targets }],
    peers: [
      {
        name: "disterl",
        absence: async () => networkAbsence() ?? erlangAbsence(),
        measure: () => measure(startErlang, "disterl", { cell, each, lanes: 1 }),
      },
    ],
  };
}

function cells(isQuick) {
  // Gigabytes take too long for a look.
  const sizes = isQuick ? SIZES.slice(0, 2) : SIZES;
  const senders = isQuick ? SENDERS.slice(0, 1) : SENDERS;
  return sizes.flatMap((size) =>
    DISTANCES.flatMap((distanceMs) =>
      senders.map((count) => ({ size, distanceMs, senders: count })),
    ),
  );
}

/**
 * Stop-and-wait between two nodes.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const atcGrid = {
  name: "atc-grid",
  question: "messages/s of senders that wait for acknowledgements, near and far",
  cases({ cutMs }) {
    const isQuick = cutMs < 30_000;
    return cells(isQuick).map((cell) => createCase(cell, isQuick));
  },
};
