/** A worker fills the ring, a thread of the addon drains and checks it. */

import { Worker } from "node:worker_threads";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createRingMemory, drainInRust } from "../../ours.mjs";
import { RING_CAPACITY_BYTES } from "./capacity.mjs";

async function main() {
  const { payload, timing } = parameters();
  endWithRunner();
  const memory = await createRingMemory(RING_CAPACITY_BYTES);
  const result = drainInRust(memory);
  const worker = new Worker(new URL("sender.mjs", import.meta.url), {
    workerData: { payload, timing, memory },
  });
  worker.on("error", fail);
  report("result", await result);
}

main().catch(fail);
