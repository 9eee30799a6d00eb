/** A MessageChannel whose one port was transferred to the worker. */

import { isMainThread, MessageChannel, workerData } from "node:worker_threads";

import { sendStream, startSending } from "./clone.mjs";

if (isMainThread) {
  const { port1, port2 } = new MessageChannel();
  const { take } = startSending(new URL(import.meta.url), { port: port2 }, [port2]);
  port1.on("message", take);
} else {
  const { port } = workerData;
  sendStream(workerData, (message) => port.postMessage(message));
}
