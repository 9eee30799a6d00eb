/** Ours: `node.events`, with its defaults. */

import { Foundation } from "foundation-runtime";

import { answer } from "./ask.mjs";

await answer(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { events } = node;
  return {
    make: (type, data, correlationId) => events.newEvent(type, data, { correlationId }),
    store: (event) => events.store(event),
    storeBatch: (list) => events.storeBatch(list),
    byType: (eventType, limit) => events.query({ eventType, limit }),
    byCorrelation: (id) => events.getByCorrelation(id),
    byTime: (from, to) => events.getTimeRange(from, to),
  };
});
