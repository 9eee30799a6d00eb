/** A bare worker that is posted bytes, copied or shared. */

import { parentPort } from "node:worker_threads";

import { numberOf } from "./readers.mjs";

parentPort.on("message", (bytes) => parentPort.postMessage(numberOf(bytes)));
