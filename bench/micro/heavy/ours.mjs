/** Ours: heavy processes. */

import { setTimeout } from "node:timers/promises";

import { Foundation, heavy } from "foundation-runtime";

import { parameters } from "../../child.mjs";
import { answerHeavy } from "./ask.mjs";

const MODULE = new URL("successor.mjs", import.meta.url);
const { idle = 0, isPreloaded = false } = parameters();

/** Resolves when all isolates that are to wait do. */
async function filled(processes) {
  while ((processes.counts().heavyPool?.idle ?? 0) < idle) await setTimeout(1);
}

await answerHeavy(async () => {
  const place = { name: "solo", cluster: "bench", listen: "127.0.0.1:0" };
  const heavyPool = { idle, preload: isPreloaded ? [MODULE] : [] };
  const { processes } = (await Foundation.start({ ...place, heavyPool })).beam;
  const successor = heavy({ module: MODULE, export: "Successor" });
  await filled(processes);
  return async () => {
    const pid = await processes.start(successor);
    return {
      ask: (value) => processes.call(pid, value),
      async end() {
        await processes.stop(pid);
        await filled(processes);
      },
    };
  };
});
