/** xstate: a machine that invokes its children, and enters again the state of one that failed. */

import { createRequire } from "node:module";

import { answer, Counter, SIBLINGS } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { createActor, createMachine, fromTransition } = requirePeer("xstate");

let [onChildStart, crashedAt] = [() => {}, 0];

const child = fromTransition(
  (state, event) => {
    if (event.type === "crash") {
      crashedAt = performance.now();
      throw new Error("as told");
    }
    event.answer(event.value + 1);
    return state;
  },
  () => {
    onChildStart();
    return 0;
  },
);

const sibling = fromTransition(
  (counter, event) => {
    if (event.type === "count") counter.count(event.number);
    else event.answer(counter);
    return counter;
  },
  () => new Counter(),
);

/** A region of the supervisor: one child that is started again when it fails. */
const regionOf = (id, src) => ({
  initial: "up",
  states: { up: { invoke: { id, src, onError: { target: "up", reenter: true } } } },
});

await answer(async () => {
  const names = Array.from({ length: SIBLINGS }, (_, index) => `sibling${index}`);
  const regions = names.map((name) => [name, regionOf(name, sibling)]);
  const supervisor = createActor(
    createMachine({
      type: "parallel",
      states: { child: regionOf("child", child), ...Object.fromEntries(regions) },
    }),
  ).start();
  const childOf = (name) => supervisor.getSnapshot().children[name];
  const ask = (name, event) =>
    new Promise((resolve) => childOf(name).send({ type: "ask", ...event, answer: resolve }));
  return {
    async crash() {
      const isBack = new Promise((resolve) => {
        onChildStart = resolve;
      });
      childOf("child").send({ type: "crash" });
      await isBack;
      return crashedAt;
    },
    ask: (value) => ask("child", { value }),
    send(index, number) {
      childOf(names[index]).send({ type: "count", number });
    },
    counted: () => Promise.all(names.map((name) => ask(name, {}))),
  };
});
