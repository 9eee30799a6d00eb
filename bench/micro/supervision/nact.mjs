/** nact: an actor that is reset when it crashes. */

import { createRequire } from "node:module";

import { answer, Counter, SIBLINGS } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { start, spawn, dispatch, query } = requirePeer("nact");

const WAIT_MS = 5_000;

let [onChildStart, crashedAt] = [() => {}, 0];

function child(state, { value, from }) {
  if (from !== undefined) dispatch(from, value + 1);
  else {
    crashedAt = performance.now();
    throw new Error("as told");
  }
  return state;
}

function sibling(counter, { number, from }) {
  if (from === undefined) counter.count(number);
  else dispatch(from, counter);
  return counter;
}

await answer(async () => {
  const system = start();
  const supervise = (name, behaviour, onStart) =>
    spawn(system, behaviour, name, {
      initialStateFunc: onStart,
      onCrash: (_message, _error, context) => context.reset,
    });
  const crashing = supervise("child", child, () => onChildStart());
  const siblings = Array.from({ length: SIBLINGS }, (_, index) =>
    supervise(`sibling${index}`, sibling, () => new Counter()),
  );
  const ask = (actor, message) => query(actor, (from) => ({ ...message, from }), WAIT_MS);
  return {
    async crash() {
      const isBack = new Promise((resolve) => {
        onChildStart = resolve;
      });
      dispatch(crashing, {});
      await isBack;
      return crashedAt;
    },
    ask: (value) => ask(crashing, { value }),
    send(index, number) {
      dispatch(siblings[index], { number });
    },
    counted: () => Promise.all(siblings.map((actor) => ask(actor, {}))),
  };
});
