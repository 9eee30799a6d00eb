// A worker under test: it attaches to the node that its data names and answers to a few names. What
// it shall do by itself it is told by messages, each answered with one message.
import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";

const node = await Foundation.attach({ name: workerData.node });
const { prefix } = workerData;
const heard = [];

node.handle(`${prefix}.echo`, (message) => message);
node.handle(`${prefix}.context`, (_message, context) => context);
node.handle(`${prefix}.fail`, () => {
  throw new RangeError("refused by the worker");
});
node.handle(`${prefix}.collect`, (message) => void heard.push(message));
node.handle(`${prefix}.size`, (message) => ({
  length: message.length,
  isShared: message.buffer instanceof SharedArrayBuffer,
}));
node.handle(`${prefix}.make`, (bytes) => new Uint8Array(bytes).fill(7));

/** A command returns it that has answered already. */
const ANSWERED = Symbol("answered");

/** Promises that `settle` resolves; until then their messages count as unfinished work. */
let unfinished = [];
node.handle(`${prefix}.hold`, () => new Promise((resolve) => unfinished.push(resolve)));

const commands = {
  heard: () => heard,
  held: () => unfinished.length,
  settle() {
    const count = unfinished.length;
    for (const resolve of unfinished) resolve(count);
    unfinished = [];
    return count;
  },
  call: ({ to, message }) => node.call(to, message),
  codeOfCall: ({ to, message }) => node.call(to, message).catch((error) => error.code),
  /** Sends numbers in order; waits where they are not accepted. */
  async count({ to, from, end }) {
    for (let number = from; number < end; number += 1) {
      while (!node.send(to, number)) await node.drained({ to: to.node, timeoutMs: 20_000 });
    }
  },
  async handle(name) {
    try {
      commands.stop = node.handle(name, (message) => message);
      return "handled";
    } catch (error) {
      return error.code;
    }
  },
  stop: () => {},
  detach: () => node.detach(),
  /** Sends numbered bytes to several names, alternating, and lets go in the same breath. */
  sendAndDetach({ names, count }) {
    for (let number = 0; number < count; number += 1) {
      const bytes = Uint8Array.of(number, number >> 8, ...new Uint8Array(number % 64));
      for (const to of names) if (!node.send(to, bytes)) throw new Error("refused");
    }
    node.detach();
  },
  /** Blocks the event loop until the flag is set: rings run full meanwhile. */
  block({ flag }) {
    parentPort.postMessage("blocked");
    const word = new Int32Array(flag);
    Atomics.wait(word, 0, 0);
    return ANSWERED;
  },
};

parentPort.on("message", async ({ command, argument }) => {
  const answer = await commands[command](argument);
  await turn();
  if (answer !== ANSWERED) parentPort.postMessage(answer);
});
parentPort.postMessage("attached");
