/** A MessageChannel whose one port was transferred to the worker. */

import { isMainThread, MessageChannel, workerData } from "node:worker_threads";

import { runMain, runWorker } from "./clone.mjs";

const portOf = (end) => ({
  post: (message) => end.postMessage(message),
  listen: (take) => end.on("message", take),
});

if (isMainThread) {
  const { port1, port2 } = new MessageChannel();
  runMain(new URL(import.meta.url), () => portOf(port1), { port: port2 }, [port2]);
} else {
  runWorker(portOf(workerData.port));
}
