/**
 * Calls one after another on the urgent channel while, on the same event loop and link, the bulk
 * channel is kept full.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { startPinging } from "../latency/round-trips.mjs";
import { sendStream } from "../ours/streams.mjs";
import { bulkOf, CHANNELS } from "./channels.mjs";

const READY_TIMEOUT_MS = 10_000;

function startPings(node, timing) {
  const to = { node: "receiver", name: "echo" };
  const options = { channel: "control" };
  const onPong = startPinging(timing, (ping) => {
    node
      .call(to, ping, options)
      .then((pong) => onPong(pong))
      .catch(fail);
  });
}

async function main() {
  const { bulkBytes, isPinging, address, timing, tuning = {} } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "sender",
    cluster: "bench",
    listen: "127.0.0.1:0",
    ...tuning,
    seeds: [address],
    channels: CHANNELS,
  });
  await node.awaitReady({ minimumMembers: 2, timeoutMs: READY_TIMEOUT_MS });
  if (isPinging) startPings(node, timing);
  if (bulkBytes === 0) return;
  await sendStream(node, "receiver", { payload: bulkOf(bulkBytes), timing, channel: "bulk" });
}

main().catch(fail);
