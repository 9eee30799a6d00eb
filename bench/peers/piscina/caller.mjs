/** Tasks of piscina: a pool of one worker that takes as many at a time as there are callers. */

import { Piscina } from "piscina";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { makeCalls } from "../../cluster/calls.mjs";

async function main() {
  const plan = parameters();
  endWithRunner();
  const pool = new Piscina({
    filename: new URL("echo.mjs", import.meta.url).href,
    name: "echo",
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: plan.concurrent,
  });
  report("result", await makeCalls((object) => pool.run(object), plan));
}

main().catch(fail);
