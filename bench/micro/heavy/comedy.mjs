/** comedy: actors in worker threads, or in processes of their own. */

import { createRequire } from "node:module";

import { parameters } from "../../child.mjs";
import { answerHeavy } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const createSystem = requirePeer("comedy");

class Successor {
  ask(value) {
    return value + 1;
  }
}

await answerHeavy(async () => {
  const { mode } = parameters();
  const root = await createSystem().rootActor();
  return async () => {
    const actor = await root.createChild(Successor, { mode });
    return { ask: (value) => actor.sendAndReceive("ask", value), end: () => actor.destroy() };
  };
});
