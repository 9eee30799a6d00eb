/** Takes the messages of all senders, checks each, and acknowledges it with its number. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { numberOf } from "./message.mjs";

async function main() {
  const { bytes, options } = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "receiver", cluster: "bench", ...options });
  node.handle("sink", (message) => numberOf(message, bytes));
  report("listening", { address: node.address });
}

main().catch(fail);
