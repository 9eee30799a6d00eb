/** Our answering node: a handler for calls, and one that sends back. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { URGENT } from "./channels.mjs";

async function main() {
  const { nodeOptions } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "echo",
    cluster: "bench",
    listen: "127.0.0.1:0",
    channels: URGENT.channels,
    ...nodeOptions,
  });
  node.handle("call", (ping) => ping);
  node.handle("send", (ping, { from }) => {
    if (!node.send({ node: from, name: "pong" }, ping, URGENT.options)) fail("not accepted");
  });
  report("listening", { address: node.address });
}

main().catch(fail);
