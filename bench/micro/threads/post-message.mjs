/** `parentPort.postMessage`, the way every worker has. */

import { isMainThread, parentPort, workerData } from "node:worker_threads";

import { sendStream, startSending } from "./clone.mjs";

if (isMainThread) {
  const { worker, take } = startSending(new URL(import.meta.url));
  worker.on("message", take);
} else {
  sendStream(workerData, (message) => parentPort.postMessage(message));
}
