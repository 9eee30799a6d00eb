// What becomes of captured events when many isolates record at once and some of them die. Each
// scenario runs in a process of its own: `node capture-scenarios.mjs NAME ARGUMENT`. Prints what it
// found as JSON.

import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";

const WORKERS = 3;
/** Of one worker: enough to go round the rings some hundred times. */
const EVENTS = 20_000;

/** Small rings, so that they are full most of the time. */
function ringBuffer(overflowStrategy) {
  return { size: 64, maxEvents: 50, numBuffers: 2, overflowStrategy };
}

async function startNode(overflowStrategy) {
  const capture = { ringBuffer: ringBuffer(overflowStrategy), processing: { batchSize: 20 } };
  const config = { values: { capture } };
  return Foundation.start({ name: "home", config, capture: { store: false } });
}

function startWorker(data) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data });
  const ended = new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", resolve);
  });
  const ready = new Promise((resolve) => worker.once("message", resolve));
  return { worker, ready, ended };
}

/** Looks at each event: whole, and after those that its isolate recorded before. */
class Reader {
  next = new Map();
  seen = 0;
  wrong = 0;

  take(batch) {
    for (const { type, data } of batch) {
      if (type !== "counted") continue;
      const { worker, number, text } = data;
      if (number < (this.next.get(worker) ?? 0) || text !== textOf(worker, number)) this.wrong++;
      this.next.set(worker, number + 1);
      this.seen++;
    }
  }
}

function textOf(worker, number) {
  return `${worker}:${"x".repeat(number % 50)}`;
}

async function record(capture, worker, number, waits) {
  const data = { worker, number, text: textOf(worker, number) };
  return waits
    ? capture.recordOrWait("counted", data, { timeoutMs: 30_000 })
    : capture.record("counted", data);
}

const SCENARIOS = {
  /** All workers record as fast as they can; the main thread reads beside them. */
  async together(overflowStrategy) {
    const node = await startNode(overflowStrategy);
    const reader = new Reader();
    node.capture.subscribe((batch) => reader.take(batch));
    const waits = overflowStrategy === "block";
    const workers = Array.from({ length: WORKERS }, (_, worker) => {
      return startWorker({ scenario: "count", worker, waits });
    });
    await Promise.all(workers.map(({ ended }) => ended));
    await node.capture.flush();
    const { totalWrites, totalReads, dropped, unread } = node.capture.stats();
    await node.leave();
    return {
      wrong: reader.wrong,
      isAllRead: reader.seen === totalReads && unread === 0,
      missing: WORKERS * EVENTS - reader.seen - dropped,
      hasDropped: dropped > 0,
      isAllTaken: totalWrites === WORKERS * EVENTS,
    };
  },

  /** Workers are terminated while they record without end. */
  async terminated(cycles) {
    const node = await startNode("drop_oldest");
    const reader = new Reader();
    node.capture.subscribe((batch) => reader.take(batch));
    for (let cycle = 0; cycle < Number(cycles); cycle++) {
      const { worker, ready, ended } = startWorker({ scenario: "endless", worker: cycle });
      await ready;
      // Some are heard first, however slowly they begin; the others are met as early as can be.
      while (cycle % 3 === 0 && !reader.next.has(cycle)) await turn();
      // Another moment of its loop each time.
      for (let turns = 0; turns < cycle % 7; turns++) await turn();
      await worker.terminate();
      await ended;
    }
    await node.capture.flush();
    const { totalWrites, totalReads, dropped, unread } = node.capture.stats();
    const before = reader.seen;
    await record(node.capture, "main", 0, false);
    await node.capture.flush();
    await node.leave();
    return {
      wrong: reader.wrong,
      heardOf: [...reader.next.keys()].length > 1,
      lost: totalWrites - totalReads - dropped - unread,
      goesOn: reader.seen - before,
    };
  },

  /** Somebody waits for room that no one makes. */
  async stuck() {
    const node = await startNode("block");
    while (node.capture.record("filler")); // no subscriber: nobody reads
    const waited = node.capture.recordOrWait("late", 1, { timeoutMs: 20 });
    const code = await waited.catch((error) => error.code);
    const before = node.capture.stats();
    // Whoever waits is let in when somebody reads at last.
    const waiting = node.capture.recordOrWait("patient", 1);
    const seen = [];
    node.capture.subscribe((batch) => seen.push(...batch.map(({ type }) => type)));
    const isTaken = await waiting;
    await node.capture.flush();
    await node.leave();
    const { unread, dropped } = before;
    return { code, unread, dropped, isTaken, last: seen.at(-1), isLateSeen: seen.includes("late") };
  },
};

const WORKER_SCENARIOS = {
  async count({ worker, waits }) {
    const node = await Foundation.attach();
    for (let number = 0; number < EVENTS; number++) {
      await record(node.capture, worker, number, waits);
    }
    node.detach();
  },

  async endless({ worker }) {
    const node = await Foundation.attach();
    parentPort.postMessage("ready");
    for (let number = 0; ; number++) {
      node.capture.record("counted", { worker, number, text: textOf(worker, number) });
    }
  },
};

if (isMainThread) {
  const [, , name, argument] = process.argv;
  console.log(JSON.stringify(await SCENARIOS[name](argument)));
} else {
  await WORKER_SCENARIOS[workerData.scenario](workerData);
}
