/** A worker that records events without end, until its process is ended. */

import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { SendWindow } from "../../micro/threads/window.mjs";

const TYPE = "user_action";
/** As `capture.processing.batchSize`. */
const BATCH = 100;

const { contender, worker, memory } = workerData;

/** @typedef {(data: object) => unknown} Record true: it may wait, and is to be awaited */

const CONTENDERS = {
  async ours() {
    const { capture } = await Foundation.attach();
    return (data) => capture.record(TYPE, data) || capture.recordOrWait(TYPE, data);
  },
  async "array-post"() {
    const window = new SendWindow(memory);
    let batch = [];
    return (data) => {
      window.await(data.number);
      batch.push({ type: TYPE, data, timestampMs: Date.now() });
      if (batch.length < BATCH) return true;
      parentPort.postMessage(batch);
      batch = [];
      return true;
    };
  },
  async "post-message"() {
    const window = new SendWindow(memory);
    return (data) => {
      window.await(data.number);
      parentPort.postMessage({ type: TYPE, data, timestampMs: Date.now() });
      return true;
    };
  },
};

const record = await CONTENDERS[contender]();
for (let number = 0; ; number++) {
  const taken = record({ worker, number, action: "click", ok: true });
  if (taken !== true) await taken;
  // A program does other things, too; a loop without a turn would hear of nothing.
  if (number % 1_000 === 999) await turn();
}
