/** A worker fills the ring, the main thread drains it: a view of every message, checked. */

import { Worker } from "node:worker_threads";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { createRingMemory, openRingConsumer } from "../../ours.mjs";
import { RING_CAPACITY_BYTES } from "./sizes.mjs";

async function main() {
  const { payload, timing } = parameters();
  endWithRunner();
  const memory = await createRingMemory(RING_CAPACITY_BYTES);
  const consumer = await openRingConsumer(memory);
  const tally = new Tally(payload);
  const worker = new Worker(new URL("sender.mjs", import.meta.url), {
    workerData: { payload, timing, memory },
  });
  worker.on("error", fail);
  const take = (bytes) => tally.takeBytes(bytes);
  const turn = () => {
    // One turn drains for a bounded time, so that a worker's failure is still heard of.
    for (let pass = 0; pass < 1024; pass += 1) {
      if (consumer.drain(take) === 0 && tally.received > 0) consumer.sleep();
      if (tally.result !== undefined) return report("result", tally.result);
    }
    setImmediate(turn);
  };
  worker.on("online", turn);
}

main().catch(fail);
