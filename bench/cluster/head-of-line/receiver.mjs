/** Echoes the pings and takes the bulk, both on one event loop. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../stream.mjs";
import { CHANNELS } from "./channels.mjs";

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
  const tally = new Tally({ name: "bulk", kind: "bytes", bytes: bulkBytes });
  node.handle("echo", (message) => message);
  node.handle(
    "sink",
    (message) => {
      try {
        if (tally.takeBytes(message)) report("bulk", tally.result);
      } catch (error) {
        fail(error);
      }
    },
    { bytes: "view" },
  );
  report("listening", { address: node.address });
}

main().catch(fail);
