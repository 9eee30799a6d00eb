// Beginning and end of nodes and attachments, each scenario in a process of its own:
// `node --expose-gc lifecycle-scenarios.mjs NAME`. Prints what it found as JSON.

import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { allocateShared, capabilities, Foundation, openShared } from "../../dist/ts/index.js";
import { callsOf, outcome } from "./outcomes.mjs";

const require = createRequire(import.meta.url);
const core = require("../../dist/bindings/foundation_core.node");
const SHIM = `../../dist/bindings/shim.abi${process.versions.modules}.node`;
const [, , name] = isMainThread ? process.argv : ["", "", workerData.scenario];

/** How long collected blocks may take to reach the core. Unit: ms. */
const COLLECTION_DEADLINE_MS = 20_000;

/** Starts a worker; `next()` is its next message, and its failure or early end rejects. */
function startWorker(scenario, data = {}) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { scenario, ...data } });
  const next = () =>
    new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the worker left with ${code}`)));
    });
  return { worker, next };
}

const scenarios = {
  async startInAWorker() {
    const early = await startWorker("startingWorker").next();
    const home = await Foundation.start({ name: "home" });
    const late = await startWorker("startingWorker").next();
    await home.leave();
    return { early, late };
  },

  async startingWorker() {
    parentPort.postMessage(await outcome(() => Foundation.start({ name: "wrong" })));
    parentPort.close();
  },

  // Some workers wait before the node exists and are told of it; later ones inherit the knowledge.
  async attach() {
    const early = startWorker("attachingWorker", { name: "second" });
    const earlyUnnamed = startWorker("attachingWorker");
    await Promise.all([early.next(), earlyUnnamed.next()]);
    const first = await Foundation.start({ name: "first" });
    const second = await Foundation.start({ name: "second" });
    const late = startWorker("attachingWorker", { name: "first" });
    const lateUnnamed = startWorker("attachingWorker");
    await Promise.all([late.next(), lateUnnamed.next()]);
    const found = {};
    for (const [key, { next }] of Object.entries({ early, late, lateUnnamed })) {
      found[key] = await next();
    }
    // Which of the two appeared first to a worker that names none is not promised.
    found.earlyUnnamed = ["first", "second"].includes((await earlyUnnamed.next()).name);
    const again = await Foundation.attach({ name: "first" });
    found.main = again.name;
    found.isolates = first.metrics().isolates;
    await Promise.all([first.leave(), second.leave()]);
    return found;
  },

  async attachingWorker() {
    parentPort.postMessage("started");
    const { name } = workerData;
    const node = await Foundation.attach({ ...(name && { name }), timeoutMs: 20_000 });
    parentPort.postMessage({ name: node.name, hasAddress: node.address.includes(":") });
    node.on("left", () => parentPort.postMessage("left"));
  },

  async attachToNobody() {
    const inMain = await outcome(() => Foundation.attach());
    const first = await Foundation.start({ name: "first" });
    const wrongNameInMain = await outcome(() => Foundation.attach({ name: "frist" }));
    const wrongName = await startWorker("lostWorker").next();
    await first.leave();
    const afterLeave = await startWorker("lostWorker", { name: "first" }).next();
    return { inMain, wrongNameInMain, wrongName, afterLeave };
  },

  async lostWorker() {
    const options = { name: workerData.name ?? "frist", timeoutMs: 300 };
    parentPort.postMessage(await outcome(() => Foundation.attach(options)));
    parentPort.close();
  },

  // The same calls in the main isolate, which left itself, and in a worker, which is told.
  async callsAfterLeave() {
    const home = await Foundation.start({ name: "home" });
    const attached = startWorker("leftWorker");
    await attached.next();
    const inWorker = attached.next();
    await home.leave();
    const inMain = await callsOf(home);
    const isSamePromise = (await home.leave()) === undefined;
    home.detach();
    home.unref();
    return { inMain, inWorker: await inWorker, isSamePromise };
  },

  async leftWorker() {
    const node = await Foundation.attach({ name: "home" });
    const left = new Promise((resolve) => node.on("left", resolve));
    parentPort.postMessage("attached");
    await left;
    parentPort.postMessage(await callsOf(node));
    parentPort.close();
  },

  // Rings between isolates are open in both directions when their node leaves.
  async leaveWithNeighbours() {
    const thrown = [];
    process.on("uncaughtException", (error) => thrown.push(error.message));
    const answers = [];
    for (let round = 0; round < 10; round += 1) {
      const home = await Foundation.start({ name: "home" });
      const { worker, next } = startWorker("neighbour");
      worker.on("error", (error) => thrown.push(`in the worker: ${error.message}`));
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      home.handle("main", (message) => message);
      answers.push(await next());
      await home.leave();
      worker.postMessage("end");
      answers.push(await ended);
    }
    return { thrown, answers };
  },

  async neighbour() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("worker", (message) => message);
    parentPort.once("message", () => parentPort.close());
    const to = { node: "home", name: "main" };
    // The main isolate registered its name before this one could ask; the news may be under way.
    for (let answer; answer === undefined; ) {
      answer = await node.call(to, "answer").catch(({ code }) => {
        if (code !== "noproc") throw new Error(code);
      });
      if (answer !== undefined) parentPort.postMessage(answer);
    }
  },

  /** Node empties the queue of a doorbell that was let go after it finalised it. */
  async ringAndLetGo() {
    const home = await Foundation.start({ name: "home" });
    for (let round = 0; round < 50; round += 1) {
      const { isolate, slot, generation } = core.attachIsolate(1, () => {}, false, 0);
      core.ringIsolate(isolate, slot, generation);
      core.detachIsolate(isolate);
      await turn();
    }
    await home.leave();
    const deadlineMs = performance.now() + 10_000;
    while (core.boundaryCounters().doorbells > 0 && performance.now() < deadlineMs) await turn();
    const { doorbells, isolates } = core.boundaryCounters();
    return { doorbells, isolates };
  },

  async manyNodes() {
    const counts = () => {
      const { nodes, isolates, kernels, slabsLive } = core.boundaryCounters();
      return { nodes, isolates, kernels, slabsLive };
    };
    const files = () => readdirSync("/proc/self/fd").length;
    const threads = () => readdirSync("/proc/self/task").length;
    const rounds = [];
    const held = { first: {}, last: {} };
    for (let round = 0; round < 50; round += 1) {
      const home = await Foundation.start({ name: "home" });
      const peer = await Foundation.start({ name: "peer", seeds: [home.address] });
      await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
      home.handle("size", (message) => message.length);
      const size = await peer.call({ node: "home", name: "size" }, new Uint8Array(100_000));
      await Promise.all([home.leave(), peer.leave()]);
      rounds.push(size);
      if (round === 0) held.first = { files: files(), threads: threads() };
    }
    held.last = { files: files(), threads: threads() };
    return { rounds: rounds.filter((size) => size === 100_000).length, counts: counts(), held };
  },

  async sharedMemory() {
    const shim = require(SHIM);
    const { id, buffer } = allocateShared(4096);
    const { worker, next } = startWorker("sharingWorker", { id });
    const fromWorker = await next();
    const seen = new Uint8Array(buffer)[100];
    const other = await fillElsewhere(fromWorker.id);
    const whileHeld = shim.stats();
    await worker.terminate();
    return { seen, other, whileHeld, id };
  },

  // The buffers of `sharedMemory` are out of reach when it has returned.
  async sharedMemoryCollected() {
    const shim = require(SHIM);
    const { id, ...found } = await scenarios.sharedMemory();
    const deadlineMs = performance.now() + COLLECTION_DEADLINE_MS;
    while (shim.stats().live > 0 && performance.now() < deadlineMs) {
      globalThis.gc();
      await turn();
    }
    const { live, liveBytes } = shim.stats();
    return { ...found, after: { live, liveBytes }, gone: await outcome(() => openShared(id)) };
  },

  async sharingWorker() {
    new Uint8Array(openShared(workerData.id))[100] = 42;
    const { id, buffer } = allocateShared(64);
    new Uint8Array(buffer)[63] = 7;
    parentPort.postMessage({ id });
    parentPort.on("message", () => buffer);
  },

  capabilities() {
    return capabilities();
  },
};

async function fillElsewhere(id) {
  return new Uint8Array(openShared(id))[63];
}

const result = await scenarios[name]();
if (isMainThread) process.stdout.write(`${JSON.stringify(result)}\n`);
