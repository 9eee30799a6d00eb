/** Calls made by hand over `postMessage`: a number finds the promise that an answer belongs to. */

import { isMainThread, parentPort, Worker } from "node:worker_threads";

import { endWithRunner, fail, parameters, report } from "../../../child.mjs";
import { makeCalls } from "../../../cluster/calls.mjs";

async function runMain() {
  const plan = parameters();
  endWithRunner();
  const worker = new Worker(new URL(import.meta.url));
  worker.on("error", fail);
  const waiting = new Map();
  let number = 0;
  worker.on("message", (answer) => {
    waiting.get(answer.number)(answer.object);
    waiting.delete(answer.number);
  });
  const call = (object) =>
    new Promise((resolve) => {
      number += 1;
      waiting.set(number, resolve);
      worker.postMessage({ number, object });
    });
  report("result", await makeCalls(call, plan));
}

if (isMainThread) runMain().catch(fail);
else parentPort.on("message", (request) => parentPort.postMessage(request));
