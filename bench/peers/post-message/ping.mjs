/** A round trip of `postMessage` between the main thread and a worker. */

import { isMainThread, parentPort, Worker } from "node:worker_threads";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { startPinging } from "../../cluster/latency/round-trips.mjs";

function runMain() {
  const { timing } = parameters();
  endWithRunner();
  const worker = new Worker(new URL(import.meta.url));
  worker.on("error", fail);
  let onPong;
  worker.on("message", (pong) => onPong(pong));
  worker.on("online", () => {
    onPong = startPinging(timing, (ping) => worker.postMessage(ping));
  });
}

if (isMainThread) runMain();
else parentPort.on("message", (ping) => parentPort.postMessage(ping));
