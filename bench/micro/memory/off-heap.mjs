/** How far a heavy process gets above its `offHeapMiB` before it is ended. */

import { Foundation, heavy } from "foundation-runtime";

import { answerMemory } from "./ask.mjs";

const HOG = new URL("hog.mjs", import.meta.url);
const LIMIT_MIB = 64;
/** A turn lasts until it has this many. */
const HOGS = 5;

await answerMemory(async () => {
  const { beam } = await Foundation.start({
    ...{ name: "solo", cluster: "bench", listen: "127.0.0.1:0" },
  });
  const { processes } = beam;
  const above = [];
  while (above.length < HOGS) {
    const pid = await processes.start(heavy({ module: HOG, export: "hog", offHeapMiB: LIMIT_MIB }));
    const ended = processes.exitOf(pid);
    processes.send(pid, "begin");
    const reason = await ended;
    if (reason?.kind !== "offHeap") throw new Error(`ended for another reason: ${reason}`);
    above.push((reason.externalBytes - reason.limitBytes) / 2 ** 20);
  }
  above.sort((left, right) => left - right);
  return { median: above[HOGS >> 1], most: above[HOGS - 1] };
});
