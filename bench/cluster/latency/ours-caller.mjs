/**
 * Our pinging node. `call` is what an application writes; `send` with an echo by `send` is the same
 * way without the bookkeeping of a call.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { URGENT } from "./channels.mjs";
import { startPinging } from "./round-trips.mjs";

const READY_TIMEOUT_MS = 10_000;

function pingByCall(node, timing) {
  const to = { node: "echo", name: "call" };
  const onPong = startPinging(timing, (ping) => {
    node
      .call(to, ping, URGENT.options)
      .then((pong) => onPong(pong))
      .catch(fail);
  });
}

function pingBySend(node, timing) {
  const to = { node: "echo", name: "send" };
  let onPong;
  node.handle("pong", (pong) => onPong(pong));
  onPong = startPinging(timing, (ping) => {
    if (!node.send(to, ping, URGENT.options)) fail("a single ping was not accepted");
  });
}

async function main() {
  const { by, address, timing, nodeOptions } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "caller",
    cluster: "bench",
    listen: "127.0.0.1:0",
    seeds: [address],
    channels: URGENT.channels,
    ...nodeOptions,
  });
  await node.awaitReady({ minimumMembers: 2, timeoutMs: READY_TIMEOUT_MS });
  if (by === "call") pingByCall(node, timing);
  else pingBySend(node, timing);
}

main().catch(fail);
