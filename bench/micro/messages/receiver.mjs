/** Another node with the receiving process. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { taker } from "./taker.mjs";

async function main() {
  const { bytes } = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "there", cluster: "bench", listen: "127.0.0.1:0" });
  node.beam.processes.spawn(taker(bytes, false), { name: "taker" });
  report("listening", { address: node.address });
}

main().catch(fail);
