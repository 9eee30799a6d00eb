/** Our answering node: the handler returns what it got. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, report } from "../../child.mjs";

async function main() {
  endWithRunner();
  const node = await Foundation.start({
    name: "callee",
    cluster: "bench",
    listen: "127.0.0.1:0",
  });
  node.handle("echo", (object) => object);
  report("listening", { address: node.address });
}

main().catch(fail);
