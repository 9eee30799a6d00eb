/** piscina: a pool of one worker, which takes as many tasks at a time as there are callers. */

import { createRequire } from "node:module";

import { answerHeavy, CONCURRENT_CALLS } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { Piscina } = requirePeer("piscina");

const filename = new URL("task.mjs", import.meta.url).href;

await answerHeavy(async () => async () => {
  const pool = new Piscina({
    ...{ filename, name: "next", minThreads: 1, maxThreads: 1 },
    concurrentTasksPerWorker: CONCURRENT_CALLS,
  });
  return { ask: (value) => pool.run(value), end: () => pool.destroy() };
});
