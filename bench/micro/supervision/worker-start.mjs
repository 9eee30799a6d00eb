/** A bare worker: the least that an isolate can cost; and one that loads the library besides. */

import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { parameters } from "../../child.mjs";
import { answerStarts } from "./starts.mjs";

const { isLoaded } = parameters();
const MODULE = new URL(isLoaded ? "loaded-worker.mjs" : "worker.mjs", import.meta.url);

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
