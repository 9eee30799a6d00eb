// What becomes of a panic of the native core at every kind of entry, and of a fork without exec.
// Each scenario is a process of its own: `node panic-scenarios.mjs NAME`. Prints what it found.

import { createRequire } from "node:module";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";
import { callsOf, outcome } from "./outcomes.mjs";

const require = createRequire(import.meta.url);
const core = require("../../dist/bindings/foundation_core.node");
const [, , name] = isMainThread ? process.argv : ["", "", workerData];

/** Numbers of nodes count up in a process, whichever isolate asks. */
let started = 0;
async function start(options) {
  const node = await Foundation.start(options);
  started += 1;
  return { node, id: started };
}

const held = () => {
  const { nodes, kernels, isolates, doorbells, isolateRings } = core.boundaryCounters();
  const { slabsLive, slabsInTransit, blocksLive, arenaBytes } = core.boundaryCounters();
  const { panics } = core.boundaryCounters();
  return {
    ...{ nodes, kernels, isolates, doorbells, isolateRings },
    ...{ slabsLive, slabsInTransit, blocksLive, arenaBytes, panics },
  };
};

/** Turns until bells that were let go are freed by Node, a moment later. */
async function settled() {
  const deadlineMs = performance.now() + 10_000;
  while (held().doorbells > 0 && performance.now() < deadlineMs) await turn();
  return held();
}

/** A kernel thread panics at a place: its own work, or one of its tasks. */
async function kernelPanics(place, options = {}, isSending = false) {
  // The other node has a kernel thread of its own, which nothing happens to.
  const other = await start({ name: "other", kernelCore: 0 });
  const home = await start({ name: "home", seeds: [other.node.address], ...options });
  await home.node.awaitReady({ minimumMembers: 2 });
  await other.node.awaitReady({ minimumMembers: 2 });
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: "attachedWorker" });
  const inWorker = { next: () => new Promise((resolve) => worker.once("message", resolve)) };
  await inWorker.next();
  other.node.handle("never", () => new Promise(() => {}));
  const failed = new Promise((resolve) => home.node.on("failed", resolve));
  const down = new Promise((resolve) => other.node.on("down", resolve));
  const waits = [
    outcome(() => home.node.call({ node: "other", name: "never" }, 1)),
    outcome(() => home.node.awaitReady({ minimumMembers: 9 })),
  ];
  const fromOther = outcome(() => other.node.call({ node: "home", name: "never" }, 1));
  const toldWorker = inWorker.next();
  core.panicForTest(place, home.id);
  if (isSending) home.node.send({ node: "other", name: "nobody" }, 1);
  const { code, message } = await failed;
  const found = {
    code,
    message: message.replace(/ \(.*\)$/, ""),
    waits: await Promise.all(waits),
    fromOther: ["noconnection", "noproc"].includes(await fromOther),
    down: (await down).name,
    calls: {
      ...(await callsOf(home.node)),
      leave: await outcome(() => home.node.leave()),
      attach: await outcome(() => Foundation.attach({ name: "home" })),
    },
    worker: await toldWorker,
  };
  await worker.terminate();
  // The process goes on: the same name starts anew, on a kernel thread of its own.
  const again = await start({ name: "home", seeds: [other.node.address] });
  await again.node.awaitReady({ minimumMembers: 2 });
  await other.node.awaitReady({ minimumMembers: 2 });
  again.node.handle("alive", (text) => text);
  while ((await outcome(() => other.node.call({ node: "home", name: "alive" }, 1))) === "noproc");
  found.again = await other.node.call({ node: "home", name: "alive" }, "alive");
  await Promise.all([again.node.leave(), other.node.leave()]);
  return { ...found, left: await settled() };
}

const scenarios = {
  kernel: () => kernelPanics("kernel"),
  task: () => kernelPanics("task"),
  polling: () => kernelPanics("isolate", { io: "isolate" }),
  sending: () => kernelPanics("isolate", { io: "isolate" }, true),

  async attachedWorker() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("never", () => new Promise(() => {}));
    node.on("failed", async ({ code }) => {
      parentPort.postMessage({ code, send: await outcome(() => node.send({}, 1)) });
      parentPort.close();
    });
    parentPort.postMessage("attached");
  },

  // Nobody listens: it is not passed over in silence.
  async unheard() {
    const { id } = await start({ name: "home" });
    const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
    core.panicForTest("kernel", id);
    return { code: (await thrown).code };
  },

  // While the panic of a wake-up is raised, the rings go on.
  async doorbell() {
    const { node: home } = await start({ name: "home" });
    const { node: peer } = await start({ name: "peer", seeds: [home.address] });
    await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
    const thrown = [];
    process.on("uncaughtException", (error) => thrown.push(`${error.code}: ${error.message}`));
    home.handle("alive", (text) => text);
    const answers = [];
    for (let round = 0; round < 5; round += 1) {
      core.panicForTest("doorbell");
      answers.push(await peer.call({ node: "home", name: "alive" }, round));
    }
    await Promise.all([home.leave(), peer.leave()]);
    return { thrown, answers, panics: core.boundaryCounters().panics };
  },

  // The child has the parent's memory and none of its threads; its end must not wait for them, nor
  // touch what the parent goes on with.
  async fork() {
    const { forkForTest } = require("../../dist/test/test_core.node");
    const { node: home } = await start({ name: "home" });
    const { node: peer } = await start({ name: "peer", seeds: [home.address] });
    await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
    home.handle("alive", (text) => text);
    const rounds = [];
    for (let round = 0; round < 5; round += 1) {
      const exitCode = forkForTest();
      const answer = await peer.call({ node: "home", name: "alive" }, round);
      rounds.push({ exitCode, answer });
    }
    await Promise.all([home.leave(), peer.leave()]);
    return { rounds, left: await settled() };
  },
};

const found = await scenarios[name]();
if (isMainThread) process.stdout.write(`${JSON.stringify(found)}\n`);
