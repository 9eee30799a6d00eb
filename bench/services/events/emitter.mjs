/** An EventEmitter and a list of what it told, which is searched from end to end. */

import { EventEmitter } from "node:events";

import { answer, EVENTS_MAX } from "./ask.mjs";

await answer(async () => {
  const emitter = new EventEmitter();
  const kept = new Array(EVENTS_MAX);
  let [count, next] = [0, 0];
  emitter.on("event", (event) => {
    kept[next] = event;
    next = (next + 1) % EVENTS_MAX;
    count = Math.min(count + 1, EVENTS_MAX);
  });
  let id = 0;
  const store = (event) => emitter.emit("event", event);
  const found = (isWanted) => kept.slice(0, count).filter(isWanted);
  return {
    make: (eventType, data, correlationId) => ({
      ...{ eventType, data, correlationId },
      ...{ eventId: ++id, timestamp: performance.timeOrigin + performance.now() },
    }),
    store,
    storeBatch: (list) => list.forEach(store),
    byType: (type, limit) => found(({ eventType }) => eventType === type).slice(0, limit),
    byCorrelation: (operation) => found(({ correlationId }) => correlationId === operation),
    byTime: (from, to) => found(({ timestamp }) => timestamp >= from && timestamp <= to),
  };
});
