/** Starts heavy processes that exceed a limit, and says by how much. */

import { Foundation, heavy } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";

const HOARDER = new URL("hoarder.mjs", import.meta.url);
const MIB = 2 ** 20;

/** How far beyond its limit one process was. Unit: MiB, or ms for a loop until its end is known. */
async function beyond(processes, { stallMs, offHeapMiB, work }) {
  const limits = stallMs === undefined ? { offHeapMiB } : { stallMs };
  const pid = await processes.start(heavy({ module: HOARDER, export: "Hoarder", ...limits }));
  const ended = processes.exitOf(pid);
  const beganMs = performance.now();
  processes.cast(pid, work);
  const reason = await ended;
  const tookMs = performance.now() - beganMs;
  if (stallMs !== undefined && reason.kind === "stalled") return tookMs - stallMs;
  if (reason.kind === "offHeap") return reason.externalBytes / MIB - offHeapMiB;
  throw new Error(`it ended otherwise: ${JSON.stringify(reason)}`);
}

async function main() {
  const { count, ...given } = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const found = [];
  while (found.length < count) found.push(await beyond(node.beam.processes, given));
  found.sort((a, b) => a - b);
  report("result", { figures: { middle: found[Math.floor(count / 2)], most: found[count - 1] } });
}

main().catch(fail);
