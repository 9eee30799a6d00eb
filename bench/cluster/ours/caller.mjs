/** Our calling node: `call` with default options. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { makeCalls } from "../calls.mjs";

const READY_TIMEOUT_MS = 10_000;

async function main() {
  const plan = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "caller",
    cluster: "bench",
    listen: "127.0.0.1:0",
    seeds: [plan.address],
  });
  await node.awaitReady({ minimumMembers: 2, timeoutMs: READY_TIMEOUT_MS });
  const to = { node: "callee", name: "echo" };
  report("result", await makeCalls((object) => node.call(to, object), plan));
}

main().catch(fail);
