/** Ours: `node.config`, with its telemetry and its stored events. */

import { Foundation } from "foundation-runtime";

import { answer, SAMPLING_RATE } from "./ask.mjs";

await answer(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { config } = node;
  return {
    read: () => config.get(SAMPLING_RATE),
    update: (value) => config.update(SAMPLING_RATE, value),
  };
});
