/** A moleculer service that answers with its parameters. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createBroker } from "./broker.mjs";

async function main() {
  const { ports } = parameters();
  endWithRunner();
  const broker = createBroker("callee", ports);
  broker.createService({ name: "bench", actions: { echo: (context) => context.params } });
  await broker.start();
  report("listening", { address: "callee" });
}

main().catch(fail);
