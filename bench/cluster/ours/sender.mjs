/** Our sending node. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { sendStream } from "./streams.mjs";

const READY_TIMEOUT_MS = 10_000;

async function main() {
  const { payload, timing, address, tuning = {} } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "sender",
    cluster: "bench",
    listen: "127.0.0.1:0",
    ...tuning,
    seeds: [address],
  });
  await node.awaitReady({ minimumMembers: 2, timeoutMs: READY_TIMEOUT_MS });
  await sendStream(node, "receiver", { payload, timing });
}

main().catch(fail);
