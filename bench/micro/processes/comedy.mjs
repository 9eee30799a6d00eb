/** comedy: actors in memory, which is its default. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const createSystem = requirePeer("comedy");

await answer(async () => {
  const root = await createSystem().rootActor();
  return {
    async receiver(onMessage) {
      const actor = await root.createChild({ take: onMessage });
      return (number) => {
        actor.send("take", number);
      };
    },
    async server() {
      const actor = await root.createChild({ next: (value) => value + 1 });
      return (value) => actor.sendAndReceive("next", value);
    },
  };
});
