/** A worker that is posted tickets of shared binaries, and releases what it has read. */

import { parentPort } from "node:worker_threads";

import { openSharedBinary } from "foundation-runtime";

import { numberOf } from "./readers.mjs";

parentPort.on("message", (ticket) => {
  const binary = openSharedBinary(ticket);
  const number = numberOf(binary.bytes());
  binary.release();
  parentPort.postMessage(number);
});
