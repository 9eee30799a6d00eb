/**
 * A BroadcastChannel with the worker as its only sender and the main thread as its only listener.
 */

import { BroadcastChannel, isMainThread, workerData } from "node:worker_threads";

import { sendStream, startSending } from "./clone.mjs";

const channel = new BroadcastChannel("bench");
if (isMainThread) {
  const { take } = startSending(new URL(import.meta.url));
  channel.onmessage = (event) => take(event.data);
} else {
  sendStream(workerData, (message) => channel.postMessage(message));
}
