/** LMDB with the same indexes; it commits in groups too, and syncs in the background. */

import { createRequire } from "node:module";

import { answer } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { open } = requirePeer("lmdb");

await answer(async (path, durability) => {
  const root = open({ path, noSync: durability === "process" });
  const events = root.openDB({ name: "events", encoding: "binary" });
  const indexes = ["type", "correlation", "time"].map((name) =>
    root.openDB({ name, dupSort: true, encoding: "ordered-binary" }),
  );
  return {
    async append({ eventId, eventType, correlationId, timestamp, bytes }) {
      events.put(eventId, bytes);
      indexes[0].put(eventType, eventId);
      indexes[1].put(correlationId, eventId);
      await indexes[2].put(timestamp, eventId);
      if (durability === "disk") await root.flushed;
    },
    async find(correlationId) {
      const found = [];
      for (const eventId of indexes[1].getValues(correlationId)) found.push(events.get(eventId));
      return found.length;
    },
    close: () => root.close(),
  };
});
