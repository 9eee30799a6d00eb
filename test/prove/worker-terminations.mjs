// A worker is started and terminated again and again, in the middle of traffic in both directions:
// with the main isolate, another worker, another node of the process and one of another process.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { capabilities, Foundation } from "../../dist/ts/index.js";
import { core, growth, holdings, rested, settledTo, until } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { callForEver, flood, startNodes } from "./harness/traffic.mjs";

const OWN = fileURLToPath(import.meta.url);
const SMALL = { text: "small" };
const LARGE = new Uint8Array(40_000);
const at = (node, name) => ({ node, name });
const [, , role, seed] = process.argv;

/** Holdings are compared with those after this many cycles, when all has been used once. */
const WARM_CYCLES = 100;

async function doomed() {
  const node = await Foundation.attach({ name: "home" });
  let heard = 0;
  node.handle("doomed", () => {
    heard += 1;
    if (heard === 10) parentPort.postMessage("ready");
    return heard;
  });
  for (const to of ["home", "peer", "far"]) {
    void flood(node, at(to, "sink"), SMALL);
    void flood(node, at(to, "sink"), LARGE);
    void callForEver(node, at(to, "echo"), LARGE);
  }
  void flood(node, at("home", "neighbour"), LARGE);
}

async function neighbour() {
  const node = await Foundation.attach({ name: "home" });
  node.handle("neighbour", () => {});
  void flood(node, at("home", "doomed"), SMALL);
  void flood(node, at("home", "doomed"), LARGE);
  // Rings to workers that are gone lie in this heap until it is collected.
  parentPort.on("message", () => {
    globalThis.gc?.();
    parentPort.postMessage("collected");
  });
  parentPort.postMessage("ready");
}

/** The other process: it writes into the worker's in-ring by way of the kernel thread. */
async function far() {
  const node = await Foundation.start({ name: "far", seeds: [seed], ringBytes: 16 << 10 });
  node.handle("sink", () => {});
  node.handle("echo", (message) => message.length);
  process.on("disconnect", () => process.exit());
  void flood(node, at("home", "doomed"), SMALL);
  void flood(node, at("home", "doomed"), LARGE);
  void callForEver(node, at("home", "doomed"), LARGE);
}

/** Starts and terminates workers of a node whose connections are served as `io` says. */
async function terminations(io, { cycles, progress, expect }) {
  const nodes = await startNodes(["home", "peer"], { ringBytes: 16 << 10, io });
  const [home, peer] = nodes;
  const child = fork(OWN, ["far", home.address]);
  await home.awaitReady({ minimumMembers: 3 });
  let heard = 0;
  for (const node of nodes) {
    node.handle("sink", () => {
      heard += 1;
    });
    node.handle("echo", (message) => message.length);
  }
  const beside = new Worker(OWN, { workerData: "neighbour" });
  await once(beside, "message");
  let isStopped = false;
  const stopped = () => isStopped;
  const doing = [
    flood(home, at("home", "doomed"), SMALL, stopped),
    flood(peer, at("home", "doomed"), LARGE, stopped),
    callForEver(home, at("home", "doomed"), LARGE, stopped),
  ];
  const rungBefore = core.boundaryCounters().ringsToClosed;
  let warm;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    await startAndTerminate(() => heard);
    const isGone = await until(() => home.metrics().isolates === 2);
    expect(isGone, `cycle ${cycle}: the isolate is still attached`);
    if (cycle === Math.min(WARM_CYCLES, Math.ceil(cycles / 2))) {
      await collect(beside);
      warm = await quiet();
    }
    if (cycle % 50 === 0) progress(`io ${io}: ${cycle} of ${cycles}, ${heard} messages heard`);
  }
  const rungWhenGone = core.boundaryCounters().ringsToClosed - rungBefore;
  await collect(beside);
  await rested();
  const after = await settledTo(warm);
  for (const grown of growth(warm, after)) expect(false, `io ${io}: ${grown}`);
  isStopped = true;
  await Promise.all(doing);
  await beside.terminate();
  child.disconnect();
  await once(child, "exit");
  await Promise.all(nodes.map((node) => node.leave({ drainMs: 100 })));
  return { messagesHeard: heard, rungWhenGone, warm, after };
}

/** One worker, terminated once it is in traffic both ways. */
async function startAndTerminate(heard) {
  const worker = new Worker(OWN, { workerData: "doomed" });
  await Promise.race([
    once(worker, "message"),
    once(worker, "exit").then(([code]) => Promise.reject(new Error(`it left with ${code}`))),
  ]);
  const before = heard();
  await until(() => heard() > before + 20);
  await worker.terminate();
}

async function run(context) {
  const { messagesHeard, rungWhenGone, warm, after } = await terminations("thread", context);
  const figures = { messagesHeard, rungWhenGone, warm, after };
  if (!capabilities().isolateIo) return figures;
  const cycles = Math.ceil(context.cycles / 10);
  const polled = await terminations("isolate", { ...context, cycles });
  return {
    ...figures,
    isolateCycles: cycles,
    isolateMessagesHeard: polled.messagesHeard,
    isolateRungWhenGone: polled.rungWhenGone,
    isolateWarm: polled.warm,
    isolateAfter: polled.after,
  };
}

async function collect(worker) {
  worker.postMessage("collect");
  await once(worker, "message");
}

/** Holdings under the same traffic differ from moment to moment: the most of several counts. */
async function quiet() {
  await rested();
  const most = holdings();
  for (let look = 0; look < 20; look += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    const held = holdings();
    for (const key of Object.keys(most)) most[key] = Math.max(most[key], held[key]);
  }
  return most;
}

const title = "a worker terminated in traffic leaves nothing behind";
if (!isMainThread) await { doomed, neighbour }[workerData]();
else if (role === "far") await far();
else await prove({ title, cycles: { full: 1_000, short: 60 }, run });
