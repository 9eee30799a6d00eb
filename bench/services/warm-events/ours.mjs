/** Ours: the warm store, compressing as it does unless told otherwise. */

import { WarmStore } from "foundation-runtime";

import { answer } from "./ask.mjs";

await answer(async (path, durability) => {
  const store = await WarmStore.open({ path, durability, maxSizeMb: 4_096 });
  return {
    append: (event) => store.append([event]),
    find: async (correlationId) => (await store.query({ correlationId, limit: 100 })).length,
    close: () => store.close(),
  };
});
