/** Ours: heavy processes. */

import { Foundation, heavy } from "foundation-runtime";

import { answerHeavy } from "./ask.mjs";

const MODULE = new URL("successor.mjs", import.meta.url);

await answerHeavy(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes } = node.beam;
  const successor = heavy({ module: MODULE, export: "Successor" });
  return async () => {
    const pid = await processes.start(successor);
    return { ask: (value) => processes.call(pid, value), end: () => processes.stop(pid) };
  };
});
