/** comedy: actors in memory, which is its default. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const createSystem = requirePeer("comedy");

await answer(async () => {
  const root = await createSystem().rootActor();
  return {
    start: (onMessage) => root.createChild({ take: onMessage }),
    send(actor, message) {
      actor.send("take", message);
    },
    async server() {
      const actor = await root.createChild({ next: (value) => value + 1 });
      return (value) => actor.sendAndReceive("next", value);
    },
  };
});
