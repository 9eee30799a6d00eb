/** nact: actors of one event loop. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { start, spawn, spawnStateless, dispatch, query, stop } = requirePeer("nact");

const idle = () => {};

await answer(async () => {
  const system = start();
  let actors = 0;
  return {
    // The names that it gives by itself repeat among so many.
    spawnIdle: () => spawnStateless(system, idle, String(actors++)),
    async endAll(batch) {
      for (const actor of batch) stop(actor);
      await new Promise((resolve) => setImmediate(resolve));
    },
    receiver(onMessage) {
      const actor = spawn(system, (state, number) => {
        onMessage(number);
        return state;
      });
      return (number) => dispatch(actor, number);
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
