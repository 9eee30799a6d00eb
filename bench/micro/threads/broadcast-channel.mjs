/** A BroadcastChannel with the two threads as its only members. */

import { BroadcastChannel, isMainThread } from "node:worker_threads";

import { runMain, runWorker } from "./clone.mjs";

const channel = new BroadcastChannel("bench");
const port = {
  post: (message) => channel.postMessage(message),
  listen(take) {
    channel.onmessage = (event) => take(event.data);
  },
};

if (isMainThread) runMain(new URL(import.meta.url), () => port);
else runWorker(port);
