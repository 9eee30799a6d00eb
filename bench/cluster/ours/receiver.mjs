/**
 * Our receiving node: public API, default options unless the case says otherwise; `bytes` says
 * whether a handler gets a view.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { takeStream } from "./streams.mjs";

async function main() {
  const { payload, bytes, tuning = {} } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "receiver",
    cluster: "bench",
    listen: "127.0.0.1:0",
    ...tuning,
  });
  takeStream(node, { payload, bytes });
  report("listening", { address: node.address });
}

main().catch(fail);
