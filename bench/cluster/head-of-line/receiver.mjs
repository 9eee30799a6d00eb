/** Echoes the pings and takes the bulk, both on one event loop. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { takeStream } from "../ours/streams.mjs";
import { bulkOf, CHANNELS } from "./channels.mjs";

async function main() {
  const { bulkBytes, tuning = {} } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "receiver",
    cluster: "bench",
    listen: "127.0.0.1:0",
    ...tuning,
    channels: CHANNELS,
  });
  node.handle("echo", (message) => message);
  takeStream(node, { payload: bulkOf(bulkBytes), bytes: "view", as: "bulk" });
  report("listening", { address: node.address });
}

main().catch(fail);
