/** nact: actors of one event loop. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { start, spawn, dispatch, query, stop } = requirePeer("nact");

await answer(async () => {
  const system = start();
  let actors = 0;
  return {
    start: (onMessage) =>
      // The names that it gives by itself repeat among so many.
      spawn(system, (_state, message) => onMessage(message), String(actors++)),
    send: dispatch,
    async endAll(batch) {
      for (const actor of batch) stop(actor);
      await new Promise((resolve) => setImmediate(resolve));
    },
    async server() {
      const actor = spawn(system, (state, { value, from }) => {
        dispatch(from, value + 1);
        return state;
      });
      return (value) => query(actor, (from) => ({ value, from }), 5_000);
    },
  };
});
