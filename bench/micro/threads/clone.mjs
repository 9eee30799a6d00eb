/**
 * What the three rivals share: they differ only in the port that clones a message to the other
 * side. Either thread sends; the one that takes the last message reports.
 *
 * @typedef {object} Port one thread's end
 * @property {(message: unknown) => void} post
 * @property {(take: (message: any) => void) => void} listen
 */

import { parentPort, Worker, workerData } from "node:worker_threads";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createSource, MARK, Pace, Tally } from "../../cluster/stream.mjs";
import { SendWindow, TakeWindow } from "./window.mjs";

/** Sends the stream; it may block its thread, but never the thread that takes. */
function send(port, { payload, timing, memory }) {
  const window = new SendWindow(memory);
  const pace = new Pace(timing, payload);
  const messageOf = createSource(payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    window.await(sequence);
    port.post(messageOf(sequence, mark));
    if (mark === MARK.last) return;
  }
}

function take(port, { payload, memory }) {
  const tally = new Tally(payload);
  const window = new TakeWindow(memory);
  port.listen((message) => {
    try {
      const isLast =
        payload.kind === "bytes" ? tally.takeBytes(message) : tally.takeObject(message);
      window.took(tally.received);
      if (isLast) report("result", tally.result);
    } catch (error) {
      fail(error); // The other thread may be blocked and would never hear of it.
    }
  });
}

/**
 * The main thread's half: starts the worker half of the same module.
 *
 * @param {URL} module
 * @param {(worker: Worker) => Port} createPort
 * @param {object} [more] further worker data
 * @param {readonly import("node:worker_threads").TransferListItem[]} [transferList]
 */
export function runMain(module, createPort, more = {}, transferList = []) {
  const { payload, timing, direction } = parameters();
  endWithRunner();
  const plan = { payload, timing, direction, memory: new SharedArrayBuffer(4) };
  const worker = new Worker(module, {
    workerData: { ...plan, ...more },
    transferList: [...transferList],
  });
  worker.on("error", fail);
  const port = createPort(worker);
  if (direction === "worker to main") take(port, plan);
  else worker.once("message", () => send(port, plan));
}

/**
 * The worker's half. When it takes, it says so first: some ports drop what nobody listens to.
 *
 * @param {Port} port
 */
export function runWorker(port) {
  if (workerData.direction === "worker to main") {
    send(port, workerData);
  } else {
    take(port, workerData);
    parentPort.postMessage("listening");
  }
}
