/** comedy: actors in worker threads. */

import { createRequire } from "node:module";

import { answerStarts } from "./starts.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const createSystem = requirePeer("comedy");

class Successor {
  ask(value) {
    return value + 1;
  }
}

await answerStarts(async () => {
  const root = await createSystem().rootActor();
  return async () => {
    const actor = await root.createChild(Successor, { mode: "threaded" });
    return { ask: (value) => actor.sendAndReceive("ask", value), end: () => actor.destroy() };
  };
});
