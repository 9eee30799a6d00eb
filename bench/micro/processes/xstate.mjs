/** xstate: a process is an actor whose logic is a transition. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { createActor, fromTransition } = requirePeer("xstate");

const startActor = (onEvent) =>
  createActor(
    fromTransition((state, event) => {
      onEvent(event);
      return state;
    }, 0),
  ).start();

const idleLogic = fromTransition((state) => state, 0);

await answer(async () => ({
  spawnIdle: () => createActor(idleLogic).start(),
  async endAll(batch) {
    for (const actor of batch) {
      if (actor.getSnapshot().status !== "active") throw new Error("an actor has ended");
      actor.stop();
    }
  },
  receiver(onMessage) {
    const actor = startActor(({ number }) => onMessage(number));
    return (number) => actor.send({ type: "number", number });
  },
  async server() {
    const actor = startActor(({ value, answer: tell }) => tell(value + 1));
    return (value) =>
      new Promise((resolve) => actor.send({ type: "call", value, answer: resolve }));
  },
}));
