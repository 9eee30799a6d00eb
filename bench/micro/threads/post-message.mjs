/** `postMessage` of the worker and of its parent port, the way every worker has. */

import { isMainThread, parentPort } from "node:worker_threads";

import { runMain, runWorker } from "./clone.mjs";

const portOf = (end) => ({
  post: (message) => end.postMessage(message),
  listen: (take) => end.on("message", take),
});

if (isMainThread) runMain(new URL(import.meta.url), portOf);
else runWorker(portOf(parentPort));
