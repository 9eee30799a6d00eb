/** Round trips of an urgent channel beside saturating bulk of the same link, and what bulk pays. */

import { existsSync } from "node:fs";

import { programOf } from "../native/build.mjs";
import { withChildren } from "../processes.mjs";
import { erlangAbsence, startErlangPing } from "./disterl.mjs";

const OURS = {
  receiver: new URL("head-of-line/receiver.mjs", import.meta.url),
  sender: new URL("head-of-line/sender.mjs", import.meta.url),
};
const SOCKET = {
  receiver: new URL("../peers/socket/mixed-receiver.mjs", import.meta.url),
  sender: new URL("../peers/socket/mixed-sender.mjs", import.meta.url),
};
const MIB = 1024 * 1024;
const BULKS = [
  { name: "1 MiB", bytes: MIB },
  { name: "16 MiB", bytes: 16 * MIB },
];

/** Distance is a proxy's: half of a round trip each way. `lengthens` the turn: pings are rarer. */
const LINKS = [
  { name: "loopback", delayUs: 0, lengthens: 1 },
  { name: "20 ms RTT", delayUs: 10_000, lengthens: 2 },
];

const FIGURES = [
  { key: "p50", name: "ping p50", unit: "µs", better: "lower" },
  { key: "p99", name: "ping p99", unit: "µs", better: "lower" },
  { key: "bulk", name: "bulk", unit: "bytes/s", better: "higher" },
];

/** What runs on the link: both, or one of them alone. */
const LOADS = {
  both: { isPinging: true, hasBulk: true },
  idle: { isPinging: true, hasBulk: false },
  alone: { isPinging: false, hasBulk: true },
};

/** Starts the proxy that makes the distance, and resolves with its port; without one, the port. */
async function withDistance(group, { delayUs }, port) {
  if (delayUs === 0) return port;
  const words = [String(port), String(delayUs)];
  const proxy = group.start("delay proxy", programOf("delay"), words);
  const { address } = await proxy.event("listening");
  return Number(address.split(":")[1]);
}

async function proxyAbsence({ delayUs }) {
  if (delayUs === 0 || existsSync(programOf("delay"))) return undefined;
  return "node bench/native/build.mjs builds the delay proxy";
}

/** Each starts both ends of a turn in a group and resolves with them. */
const STARTS = {
  async ours(group, link, parameters) {
    const receiver = group.startNode("receiver", OURS.receiver, parameters);
    const { address } = await receiver.event("listening");
    const port = await withDistance(group, link, Number(address.split(":")[1]));
    const seed = { address: `127.0.0.1:${port}` };
    return {
      receiver,
      sender: group.startNode("sender", OURS.sender, { ...parameters, ...seed }),
    };
  },
  // The receiver dials: see peers/socket/receiver.mjs.
  async socket(group, link, parameters) {
    const sender = group.startNode("sender", SOCKET.sender, parameters);
    const { address } = await sender.event("listening");
    const near = { ...address, port: await withDistance(group, link, address.port) };
    return {
      sender,
      receiver: group.startNode("receiver", SOCKET.receiver, { ...parameters, address: near }),
    };
  },
  disterl(group, link, { timing, ...load }) {
    const proxy = link.delayUs > 0 ? (port) => withDistance(group, link, port) : undefined;
    return startErlangPing(group, { ...load, proxy }, timing);
  },
};

/** One contender under one load. */
function createMeasure(start, { link, bulk, load, timing }) {
  const parameters = {
    bulkBytes: load.hasBulk ? bulk.bytes : 0,
    isPinging: load.isPinging,
    timing: { ...timing, measureMs: timing.measureMs * link.lengthens },
  };
  return () =>
    withChildren(timing.deadlineMs, async (group) => {
      const { receiver, sender } = await start(group, link, parameters);
      const outcome = Promise.all([
        load.isPinging ? sender.event("pings") : undefined,
        load.hasBulk ? receiver.event("bulk") : undefined,
      ]);
      const either = Promise.race([receiver.failure(), sender.failure()]);
      const [pings, taken] = await Promise.race([outcome, either]);
      return {
        ...(pings && { p50: pings.p50, p99: pings.p99 }),
        ...(taken && { bulk: (taken.messages * bulk.bytes) / taken.seconds }),
      };
    });
}

function createCase(link, bulk, timing) {
  const name = `${bulk.name} bulk, ${link.name}`;
  const measureOf = (contender, load) =>
    createMeasure(STARTS[contender], { link, bulk, load: LOADS[load], timing });
  const absence = () => proxyAbsence(link);
  const yardstick = (load) => ({
    case: `${name} ${load}`,
    isYardstick: true,
    absence,
    measure: measureOf("ours", load),
  });
  const rivals = ["socket", "disterl"].flatMap((contender) =>
    Object.keys(LOADS).map((load) => ({
      name: load === "both" ? contender : `${contender} ${load}`,
      absence: async () =>
        (await absence()) ?? (contender === "disterl" ? erlangAbsence() : undefined),
      measure: measureOf(contender, load),
    })),
  );
  return {
    case: name,
    figures: FIGURES,
    ours: [
      {
        case: name,
        absence,
        beside: { idle: `${name} idle`, alone: `${name} alone` },
        targets: { p99: [{ vs: "idle", ratio: 0.5 }], bulk: [{ vs: "alone", ratio: 0.8 }] },
        measure: measureOf("ours", "both"),
      },
      yardstick("idle"),
      yardstick("alone"),
    ],
    peers: rivals,
  };
}

/**
 * Ours beside itself under half of the load, and two rivals in the same three ways.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const headOfLine = {
  name: "head-of-line",
  question: "round trips of an urgent channel beside saturating bulk, near and at 20 ms",
  cases: (timing) => LINKS.flatMap((link) => BULKS.map((bulk) => createCase(link, bulk, timing))),
};
