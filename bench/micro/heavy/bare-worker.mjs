/** Answers numbers, and imports nothing of anybody. */

import { parentPort } from "node:worker_threads";

parentPort.on("message", (value) => parentPort.postMessage(value + 1));
