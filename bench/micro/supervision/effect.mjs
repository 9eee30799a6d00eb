/** effect: fibers with a queue each; who retries one for ever is its supervisor. */

import { createRequire } from "node:module";

import { answer, Counter, SIBLINGS } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { Effect, Queue, Schedule } = requirePeer("effect");

/** Starts a fiber that does `onMessage`, an effect, with each message of its queue. */
async function startFiber(onStart, onMessage) {
  const mailbox = await Effect.runPromise(Queue.unbounded());
  const body = Effect.gen(function* () {
    const state = onStart();
    for (;;) yield* onMessage(yield* Queue.take(mailbox), state);
  });
  Effect.runFork(Effect.retry(body, { schedule: Schedule.forever }));
  return mailbox;
}

await answer(async () => {
  let [onChildStart, crashedAt] = [() => {}, 0];
  const child = await startFiber(
    () => onChildStart(),
    (message) => {
      if (message.answer !== undefined) return Effect.sync(() => message.answer(message.value + 1));
      crashedAt = performance.now();
      return Effect.fail("as told");
    },
  );
  const siblings = [];
  for (let index = 0; index < SIBLINGS; index++) {
    siblings.push(
      await startFiber(
        () => new Counter(),
        ({ number, answer: tell }, counter) =>
          Effect.sync(() => (tell === undefined ? counter.count(number) : tell(counter))),
      ),
    );
  }
  const ask = (mailbox, message) =>
    new Promise((resolve) => Queue.offerUnsafe(mailbox, { ...message, answer: resolve }));
  return {
    async crash() {
      const isBack = new Promise((resolve) => {
        onChildStart = resolve;
      });
      Queue.offerUnsafe(child, {});
      await isBack;
      return crashedAt;
    },
    ask: (value) => ask(child, { value }),
    send(sibling, number) {
      if (!Queue.offerUnsafe(siblings[sibling], { number })) throw new Error("a queue is closed");
    },
    counted: () => Promise.all(siblings.map((mailbox) => ask(mailbox, {}))),
  };
});
