/** A bare worker: the least that an isolate can cost. */

import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { answerStarts } from "./starts.mjs";

const MODULE = new URL("worker.mjs", import.meta.url);

await answerStarts(async () => async () => {
  const worker = new Worker(MODULE);
  return {
    async ask(value) {
      worker.postMessage(value);
      const [answer] = await once(worker, "message");
      return answer;
    },
    end: () => worker.terminate(),
  };
});
