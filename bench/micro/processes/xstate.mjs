/** xstate: a process is an actor whose logic is a transition. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { createActor, fromTransition } = requirePeer("xstate");

const logicOf = (onEvent) =>
  fromTransition((state, event) => {
    onEvent(event);
    return state;
  }, 0);

/** One logic for all actors that do the same, as a program has it. */
const logics = new Map();

function logicFor(onMessage) {
  const known = logics.get(onMessage);
  if (known !== undefined) return known;
  const logic = logicOf(({ message }) => onMessage(message));
  logics.set(onMessage, logic);
  return logic;
}

await answer(async () => ({
  start: (onMessage) => createActor(logicFor(onMessage)).start(),
  send: (actor, message) => actor.send({ type: "message", message }),
  async endAll(batch) {
    for (const actor of batch) {
      if (actor.getSnapshot().status !== "active") throw new Error("an actor has ended");
      actor.stop();
    }
  },
  async server() {
    const logic = logicOf(({ value, answer: tell }) => tell(value + 1));
    const actor = createActor(logic).start();
    return (value) =>
      new Promise((resolve) => actor.send({ type: "call", value, answer: resolve }));
  },
}));
