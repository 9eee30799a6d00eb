/**
 * What the three rivals share: they differ only in the port that clones a message to the other
 * side.
 */

import { Worker } from "node:worker_threads";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createSource, MARK, Pace, Tally } from "../../cluster/stream.mjs";
import { SendWindow, TakeWindow } from "./window.mjs";

/**
 * Starts the worker half of a contender's module and returns what its port's listener has to call.
 *
 * @param {URL} module
 * @param {object} [more] further worker data
 * @param {readonly import("node:worker_threads").TransferListItem[]} [transferList]
 */
export function startSending(module, more = {}, transferList = []) {
  const { payload, timing } = parameters();
  endWithRunner();
  const tally = new Tally(payload);
  const window = new TakeWindow();
  const worker = new Worker(module, {
    workerData: { payload, timing, memory: window.memory, ...more },
    transferList: [...transferList],
  });
  worker.on("error", fail);
  const take = (message) => {
    const isLast = payload.kind === "bytes" ? tally.takeBytes(message) : tally.takeObject(message);
    window.took(tally.received);
    if (isLast) report("result", tally.result);
  };
  return { worker, take };
}

/**
 * The worker half: sends the stream through `post` and returns after the last message.
 *
 * @param {{ payload: object, timing: object, memory: SharedArrayBuffer }} workerData
 * @param {(message: unknown) => void} post
 */
export function sendStream({ payload, timing, memory }, post) {
  const window = new SendWindow(memory);
  const pace = new Pace(timing, payload);
  const messageOf = createSource(payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    window.await(sequence);
    post(messageOf(sequence, mark));
    if (mark === MARK.last) return;
  }
}
