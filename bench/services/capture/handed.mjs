/** Events of workers, counted in the main isolate: whole, in order, and none of them lost. */

import { Worker } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { TakeWindow } from "../../micro/threads/window.mjs";

/** Has the events of each worker taken; `take` gets the worker's number and its events. */
const CONTENDERS = {
  async ours(start, count, take) {
    // Nothing is lost, as with the rivals: a producer that finds no room waits for some.
    const ringBuffer = { overflowStrategy: "block" };
    const config = { env: false, values: { capture: { ringBuffer } } };
    const options = { name: "solo", cluster: "bench", listen: "127.0.0.1:0", config };
    const node = await Foundation.start({ ...options, capture: { store: false } });
    node.capture.subscribe((batch) => {
      for (const { data } of batch) take(data.worker, data);
    });
    for (let worker = 0; worker < count; worker++) start({ worker });
  },
  /** Pushed into an array, which is posted when a hundred are there. */
  async "array-post"(start, count, take) {
    for (let worker = 0; worker < count; worker++) {
      posted(start, worker, (batch) => {
        for (const { data } of batch) take(worker, data);
        return batch.length;
      });
    }
  },
  async "post-message"(start, count, take) {
    for (let worker = 0; worker < count; worker++) {
      posted(start, worker, ({ data }) => {
        take(worker, data);
        return 1;
      });
    }
  },
};

/** A rival has no flow control of its own: a window bounds what is under way. */
function posted(start, worker, takeMessage) {
  const memory = new SharedArrayBuffer(4);
  const window = new TakeWindow(memory);
  let taken = 0;
  start({ worker, memory }).on("message", (message) => {
    const count = takeMessage(message);
    for (let index = 0; index < count; index++) window.took(++taken);
  });
}

try {
  const { contender, workers, timing } = parameters();
  endWithRunner();
  const next = new Array(workers).fill(0);
  let counted = 0;
  const take = (worker, { number, action, ok }) => {
    if (number !== next[worker] || action !== "click" || ok !== true) {
      throw new Error(`event ${number} of worker ${worker} came where ${next[worker]} was due`);
    }
    next[worker]++;
    counted++;
  };
  const start = (more) => {
    const worker = new Worker(new URL("producer.mjs", import.meta.url), {
      workerData: { contender, ...more },
    });
    worker.on("error", fail);
    return worker;
  };
  process.on("uncaughtException", fail);
  await CONTENDERS[contender](start, workers, take);
  const clock = setInterval(() => {
    if (next.includes(0)) return; // each of them is at work
    clearInterval(clock);
    setTimeout(() => {
      const [before, startedAt] = [counted, performance.now()];
      setTimeout(() => {
        const figure = ((counted - before) * 1_000) / (performance.now() - startedAt);
        report("result", { figure });
      }, timing.measureMs);
    }, timing.warmMs);
  }, 1);
} catch (error) {
  fail(error);
}
