/** A bare worker: the least that an isolate can cost; and one that loads the library besides. */

import { Worker } from "node:worker_threads";

import { parameters } from "../../child.mjs";
import { answerHeavy } from "./ask.mjs";

const { isLoaded } = parameters();
const MODULE = new URL(isLoaded ? "loaded-worker.mjs" : "bare-worker.mjs", import.meta.url);

await answerHeavy(async () => async () => {
  const worker = new Worker(MODULE);
  // Answers come in the order of what was asked.
  const asked = [];
  worker.on("message", (answer) => asked.shift()(answer));
  return {
    ask(value) {
      worker.postMessage(value);
      return new Promise((resolve) => asked.push(resolve));
    },
    end: () => worker.terminate(),
  };
});
