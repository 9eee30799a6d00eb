/** Sends bytes to a process by one strategy: in this isolate, to another one, to another node. */

import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { MESSAGES, makeMessages, taker, usedCpuMs } from "./taker.mjs";

/** Messages between two looks at the clock. */
const BATCH = 64;

/** Where the receiving process is. */
async function startTaker(node, { place, bytes, way, address }) {
  const { processes } = node.beam;
  if (place === "other node") {
    await node.join(address);
    await node.awaitReady({ minimumMembers: 2 });
    return processes.lookup({ node: "there", name: "taker" });
  }
  if (place === "same isolate") {
    return processes.spawn(taker(bytes, way === "direct"), { name: "taker" });
  }
  const worker = new Worker(new URL(import.meta.url), { workerData: { bytes } });
  worker.on("error", fail);
  await once(worker, "message");
  return processes.lookup("taker");
}

async function runMain() {
  const plan = parameters();
  endWithRunner();
  const { way, bytes, place, timing } = plan;
  const node = await Foundation.start({ name: "here", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes, messages } = node.beam;
  const pid = await startTaker(node, plan);
  const made = makeMessages(bytes);
  const all = way === "counted" ? made.map((each) => messages.countBytes(each)) : made;
  const strategy = way === "counted" ? "refCountedBinary" : way;
  const options = { strategy, flowControl: "automatic" };
  let sent = 0;
  const sendFor = async (durationMs) => {
    const until = performance.now() + durationMs;
    while (performance.now() < until) {
      for (let count = 0; count < BATCH; count++) {
        await messages.sendOptimized(pid, all[sent % MESSAGES], options);
        sent++;
      }
    }
    const { taken, cpuMs } = await processes.call(pid, "taken", { timeoutMs: timing.deadlineMs });
    if (taken !== sent) throw new Error(`${sent} were sent and ${taken} taken`);
    return place === "other node" ? cpuMs + usedCpuMs() : cpuMs;
  };
  const cpuMsBefore = await sendFor(timing.warmMs);
  const before = sent;
  const startedAt = performance.now();
  const cpuMs = (await sendFor(timing.measureMs)) - cpuMsBefore;
  const seconds = (performance.now() - startedAt) / 1_000;
  report("result", { messages: sent - before, seconds, cpuMs });
}

async function runWorker() {
  const node = await Foundation.attach();
  node.beam.processes.spawn(taker(workerData.bytes, false), { name: "taker" });
  parentPort.postMessage("ready");
}

(isMainThread ? runMain() : runWorker()).catch(fail);
