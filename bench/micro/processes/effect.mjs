/** effect: a process is a fiber with a queue. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { Effect, Queue } = requirePeer("effect");

/** A fiber that does `onMessage` with each message of its queue. */
function startFiber(onMessage) {
  const mailbox = Effect.runSync(Queue.unbounded());
  const body = Effect.gen(function* () {
    for (;;) onMessage(yield* Queue.take(mailbox));
  });
  return { mailbox, fiber: Effect.runFork(body) };
}

await answer(async () => ({
  start: startFiber,
  send({ mailbox }, message) {
    if (!Queue.offerUnsafe(mailbox, message)) throw new Error("the queue is closed");
  },
  async endAll(batch) {
    for (const { fiber } of batch) {
      if (fiber.pollUnsafe() !== undefined) throw new Error("a fiber has ended");
      fiber.interruptUnsafe();
    }
    await new Promise((resolve) => setImmediate(resolve));
  },
  async server() {
    const { mailbox } = startFiber(({ value, answer: tell }) => tell(value + 1));
    return (value) =>
      new Promise((resolve) => Queue.offerUnsafe(mailbox, { value, answer: resolve }));
  },
}));
