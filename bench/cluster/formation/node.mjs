/**
 * One node of a forming cluster, or several in this process: listens, waits for the word to join,
 * and reports once its own event has told it of every other member.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report, told } from "../../child.mjs";
import { allUp } from "../all-up.mjs";

async function startNode(name, others, options) {
  const place = { name, cluster: "bench", listen: "127.0.0.1:0" };
  const node = await Foundation.start({ ...place, ...options });
  return { node, complete: allUp(node, others) };
}

async function main() {
  const { names, others, options } = parameters();
  endWithRunner();
  const nodes = await Promise.all(names.map((name) => startNode(name, others, options)));
  report("listening", { address: nodes[0].node.address });
  const { seed } = await told();
  await Promise.all(
    nodes.map(async ({ node, complete }) => {
      if (node.address !== seed) await node.join([seed]);
      await complete;
    }),
  );
  report("complete");
}

main().catch(fail);
