/** What it takes to learn what is used: by `analyzeMemory`, and by what Node.js has for it. */

import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";

import { Foundation, heavy } from "foundation-runtime";

import { percentilesOf } from "../../cluster/latency/round-trips.mjs";
import { answerMemory } from "./ask.mjs";

const SUCCESSOR = new URL("../heavy/successor.mjs", import.meta.url);
const HEAVY = 4;

/** @type {Record<string, (beam: import("foundation-runtime").Beam) => () => Promise<object>>} */
const CONTENDERS = {
  ours: (beam) => () => beam.memory.analyzeMemory(),
  /** Of this isolate alone: Node.js has nothing that asks the others. */
  v8: () => async () => [process.memoryUsage(), getHeapStatistics(), getHeapSpaceStatistics()],
};

async function p50(analyze, { warmMs, measureMs }) {
  const timesMs = [];
  const startedAt = performance.now();
  for (let calledAt = startedAt; calledAt < startedAt + warmMs + measureMs; ) {
    const figures = await analyze();
    const answeredAt = performance.now();
    if (figures.recommendations?.some(({ code }) => code === "shim_missing")) {
      throw new Error("the shim is missing");
    }
    if (calledAt >= startedAt + warmMs) timesMs.push(answeredAt - calledAt);
    calledAt = answeredAt;
  }
  return percentilesOf(timesMs).p50;
}

await answerMemory(async ({ contender, timing }) => {
  const { beam } = await Foundation.start({
    ...{ name: "solo", cluster: "bench", listen: "127.0.0.1:0" },
  });
  const analyze = CONTENDERS[contender](beam);
  const alone = await p50(analyze, timing);
  if (contender !== "ours") return { alone };
  const successor = heavy({ module: SUCCESSOR, export: "Successor" });
  for (let each = 0; each < HEAVY; each++) await beam.processes.start(successor);
  const { isolates } = await beam.memory.analyzeMemory();
  const silent = isolates.find(({ heap }) => heap === undefined);
  if (silent !== undefined) throw new Error(`an isolate gives no figures: ${silent.code}`);
  if (isolates.length <= HEAVY) throw new Error(`${isolates.length} isolates are known`);
  return { alone, heavy: await p50(analyze, timing) };
});
