/** piscina: a pool of one worker, which takes as many tasks at a time as there are callers. */

import { createRequire } from "node:module";

import { parameters } from "../../child.mjs";
import { answerHeavy } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { Piscina } = requirePeer("piscina");

const filename = new URL("task.mjs", import.meta.url).href;

await answerHeavy(async () => async () => {
  const { concurrent = 1 } = parameters();
  const pool = new Piscina({
    ...{ filename, name: "next", minThreads: 1, maxThreads: 1 },
    concurrentTasksPerWorker: concurrent,
  });
  return { ask: (value) => pool.run(value), end: () => pool.destroy() };
});
