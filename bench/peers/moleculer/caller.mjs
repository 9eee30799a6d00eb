/** Remote calls of moleculer, once its gossip has told of the service. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { makeCalls } from "../../cluster/calls.mjs";
import { createBroker } from "./broker.mjs";

async function main() {
  const plan = parameters();
  endWithRunner();
  const broker = createBroker("caller", plan.ports);
  await broker.start();
  await broker.waitForServices("bench");
  report("result", await makeCalls((object) => broker.call("bench.echo", object), plan));
}

main().catch(fail);
