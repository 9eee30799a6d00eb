/**
 * Calls one after another on the urgent channel while, on the same event loop and link, the bulk
 * channel is kept full.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createSource, MARK, Pace } from "../stream.mjs";
import { CHANNELS } from "./channels.mjs";

const READY_TIMEOUT_MS = 10_000;
const PING_BYTES = 16;

async function sendBulk(node, bytes, timing) {
  const payload = { name: "bulk", kind: "bytes", bytes };
  const to = { node: "receiver", name: "sink" };
  const options = { channel: "bulk" };
  const drain = { to: "receiver", channel: "bulk" };
  const messageOf = createSource(payload);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    const message = messageOf(sequence, mark);
    while (!node.send(to, message, options)) await node.drained(drain);
    if (mark === MARK.last) return;
  }
}

/** Round trips of the measured time, in milliseconds. */
async function takeRoundTrips(node, { warmMs, measureMs }) {
  const to = { node: "receiver", name: "echo" };
  const options = { channel: "control" };
  const ping = new Uint8Array(PING_BYTES);
  const roundTripsMs = [];
  const warmUntil = performance.now() + warmMs;
  const until = warmUntil + measureMs;
  for (let sentAt = performance.now(); sentAt < until; ) {
    await node.call(to, ping, options);
    const answeredAt = performance.now();
    if (sentAt >= warmUntil) roundTripsMs.push(answeredAt - sentAt);
    sentAt = answeredAt;
  }
  return roundTripsMs;
}

function reportPercentiles(roundTripsMs) {
  if (roundTripsMs.length === 0) throw new Error("no ping came back in the measured time");
  const sorted = Float64Array.from(roundTripsMs).sort();
  const microsecondsAt = (share) => sorted[Math.ceil(sorted.length * share) - 1] * 1000;
  report("pings", {
    p50: microsecondsAt(0.5),
    p99: microsecondsAt(0.99),
    count: sorted.length,
  });
}

async function main() {
  const { bulkBytes, isPinging, address, timing } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "sender",
    cluster: "bench",
    listen: "127.0.0.1:0",
    seeds: [address],
    channels: CHANNELS,
  });
  await node.awaitReady({ minimumMembers: 2, timeoutMs: READY_TIMEOUT_MS });
  await Promise.all([
    bulkBytes > 0 ? sendBulk(node, bulkBytes, timing) : undefined,
    isPinging ? takeRoundTrips(node, timing).then(reportPercentiles) : undefined,
  ]);
}

main().catch(fail);
