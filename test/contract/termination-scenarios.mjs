// What becomes of a node when its workers die in every possible way. Each scenario runs in a
// process of its own, since a crash must be seen:
// `node --expose-gc termination-scenarios.mjs NAME [CYCLES]`.
// Prints what it found as JSON.

import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";
import { ClusterNode } from "../../dist/ts/kernel/node.js";
import { findStarted } from "../../dist/ts/kernel/opened-node.js";

const core = createRequire(import.meta.url)("../../dist/bindings/foundation_core.node");
const [, , name, cycles] = isMainThread ? process.argv : ["", "", workerData.scenario];

/** How long a figure may take to settle after the event that changes it. Unit: ms. */
const SETTLING_DEADLINE_MS = 10_000;

async function until(isDone) {
  const deadlineMs = performance.now() + SETTLING_DEADLINE_MS;
  while (!isDone() && performance.now() < deadlineMs) await turn();
  return isDone();
}

function figures() {
  globalThis.gc();
  const { nodes, isolates, kernels, slabsLive, arenaResidentBytes } = core.boundaryCounters();
  return {
    nodes,
    isolates,
    kernels,
    slabsLive,
    files: readdirSync("/proc/self/fd").length,
    threads: readdirSync("/proc/self/task").length,
    // The arena keeps what bursts touched for a moment; whether it leaks is told by `slabsLive`.
    residentBytes: process.memoryUsage.rss() - arenaResidentBytes,
  };
}

function startWorker(data) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data });
  // A worker under test reports with one message; anything else is a failure of the test.
  const ready = new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker left with ${code}`)));
  });
  ready.catch(() => {});
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  return { worker, ready, ended };
}

/** Two nodes of one process that know each other; `home` is the one that workers attach to. */
async function startPair() {
  const options = { io: process.env.FOUNDATION_TEST_IO, ringBytes: 16 << 10 };
  const home = await Foundation.start({ ...options, name: "home" });
  const peer = await Foundation.start({ ...options, name: "peer", seeds: [home.address] });
  await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
  return { home, peer };
}

/** Sends to a node without end, one burst a turn of the loop, and stays within what is accepted. */
async function flood(node, to, message, isStopped) {
  while (!isStopped()) {
    for (let sent = 0; sent < 8 && !isStopped(); sent += 1) {
      try {
        if (!node.send(to, message)) break;
      } catch (thrown) {
        if (thrown.code !== "noconnection") throw thrown;
      }
    }
    await turn();
  }
}

const scenarios = {
  // The contract of architecture.md: 0 crashes, and nothing left behind.
  async underTraffic() {
    const { home, peer } = await startPair();
    const heard = { home: 0, peer: 0 };
    home.handle("sink", () => {
      heard.home += 1;
    });
    peer.handle("sink", () => {
      heard.peer += 1;
    });
    let isStopped = false;
    const stopped = () => isStopped;
    const large = new Uint8Array(40_000);
    const before = figures(); // a flood's first burst may hold slabs at once
    const floods = [
      flood(home, { node: "home", name: "worker" }, { text: "to the worker" }, stopped),
      flood(peer, { node: "home", name: "worker" }, large, stopped),
    ];
    let at50 = before;
    for (let cycle = 1; cycle <= Number(cycles); cycle += 1) {
      const { worker, ready } = startWorker({ scenario: "trafficWorker" });
      await ready;
      const atReady = heard.home + heard.peer;
      await until(() => heard.home + heard.peer > atReady + 20);
      await worker.terminate();
      if (cycle === 50) at50 = figures();
    }
    isStopped = true;
    await Promise.all(floods);
    // Messages that the handlers dropped hold their slabs until they are collected, and the last
    // worker's thread ends a moment after its event.
    const isQuiet = await until(() => {
      const { slabsLive, isolates, threads, files } = figures();
      const isAsBefore = slabsLive === before.slabsLive && isolates === before.isolates;
      return isAsBefore && threads === before.threads && files === at50.files;
    });
    const isolates = home.metrics().isolates;
    const after = figures();
    await Promise.all([home.leave(), peer.leave()]);
    return { before, at50, after, isQuiet, isolates, heard, left: figures() };
  },

  // Messages that a dead isolate had been given count as unsettled at their sender. They have to be
  // given up with the isolate, or the sender's window to this node shrinks until it is shut.
  async creditOfTheDead() {
    const { home, peer } = await startPair();
    home.handle("alive", (message) => message);
    const message = new Uint8Array(1_000);
    let isStopped = false;
    const stopped = () => isStopped;
    const flooding = flood(peer, { node: "home", name: "worker" }, message, stopped);
    const answers = [];
    for (let cycle = 0; cycle < Number(cycles); cycle += 1) {
      const { worker, ready } = startWorker({ scenario: "deafWorker" });
      await ready;
      await worker.terminate();
      const call = peer.call({ node: "home", name: "alive" }, cycle, { timeoutMs: 10_000 });
      const answer = await call.catch((error) => error.code);
      answers.push(answer);
      if (answer !== cycle) break;
    }
    isStopped = true;
    await flooding;
    await Promise.all([home.leave(), peer.leave({ drainMs: 100 })]);
    return { answers };
  },

  // Answers nothing: what it was sent stays unsettled until it dies.
  async deafWorker() {
    const node = await Foundation.attach({ name: "home" });
    let heard = 0;
    node.handle("worker", () => {
      heard += 1;
      if (heard === 10) parentPort.postMessage("ready");
      return new Promise(() => {});
    });
  },

  async trafficWorker() {
    const node = await Foundation.attach({ name: "home" });
    let heard = 0;
    node.handle("worker", () => {
      heard += 1;
      if (heard === 10) parentPort.postMessage("ready");
    });
    const never = () => false;
    void flood(node, { node: "home", name: "sink" }, new Uint8Array(20_000), never);
    void flood(node, { node: "peer", name: "sink" }, { text: "to the peer" }, never);
    void flood(node, { node: "peer", name: "sink" }, new Uint8Array(30_000), never);
  },

  async blocked() {
    const { home, peer } = await startPair();
    const { worker, ready } = startWorker({ scenario: "blockedWorker" });
    await ready;
    peer.send({ node: "home", name: "worker" }, 1);
    const whileBlocked = home.metrics().isolates;
    const exitCode = await worker.terminate();
    const isGone = await until(() => home.metrics().isolates === 1);
    const answer = await peerCalls(home, peer);
    await Promise.all([home.leave(), peer.leave()]);
    return { whileBlocked, exitCode, isGone, answer };
  },

  async blockedWorker() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("worker", () => {});
    parentPort.postMessage("ready");
    for (;;);
  },

  // Neither worker calls detach(): one lets its loop run dry, the other exits in the middle of it.
  async endByThemselves() {
    const { home, peer } = await startPair();
    const codes = [];
    for (const ending of ["runDryWorker", "exitingWorker", "throwingWorker"]) {
      const { worker, ready, ended } = startWorker({ scenario: ending });
      worker.on("error", () => {});
      await ready;
      // Its error would not wait behind its message: the two come by ports of their own.
      worker.postMessage("end");
      codes.push(await ended);
      if (!(await until(() => home.metrics().isolates === 1))) codes.push("still attached");
      // The name went with the worker.
      home.handle("worker", () => "home")();
    }
    const answer = await peerCalls(home, peer);
    await Promise.all([home.leave(), peer.leave()]);
    return { codes, answer };
  },

  async runDryWorker() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("worker", () => {});
    node.unref();
    parentPort.postMessage("ready");
  },

  async exitingWorker() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("worker", () => {});
    parentPort.once("message", () => process.exit(7));
    parentPort.postMessage("ready");
  },

  async throwingWorker() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("worker", () => {});
    parentPort.once("message", () => {
      throw new Error("thrown by the worker under test");
    });
    parentPort.postMessage("ready");
  },

  // The kernel thread has let go of a worker, and this isolate has not read of it yet.
  async justDead() {
    const { home, peer } = await startPair();
    const words = new Int32Array(new SharedArrayBuffer(4));
    const { worker, ready, ended } = startWorker({ scenario: "endedWorker", words });
    worker.on("error", () => {});
    await ready;
    const to = { node: "home", name: "worker" };
    const before = home.metrics().isolate.noHandler;
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (core.boundaryCounters().isolates > 2) Atomics.wait(pause, 0, 0, 1);
    const isAccepted = home.send(to, "to nobody");
    const counted = home.metrics().isolate.noHandler - before;
    const answer = await home.call(to, "to nobody").catch((error) => error.code);
    await ended;
    await Promise.all([home.leave(), peer.leave()]);
    return { isAccepted, counted, answer };
  },

  async endedWorker() {
    // Without services, whose messages would have shown each side to the other already.
    const node = new ClusterNode(await findStarted({ name: "home" }));
    node.handle("worker", () => {});
    parentPort.postMessage("ready");
    setTimeout(() => {
      Atomics.wait(workerData.words, 0, 0);
      process.exit(0);
    });
  },

  // A worker dies while its node leaves: both take the same isolate down.
  async duringLeave() {
    const rounds = [];
    for (let round = 0; round < Number(cycles); round += 1) {
      const home = await Foundation.start({ name: "home" });
      const { worker, ready } = startWorker({ scenario: "idleWorker" });
      await ready;
      const [, exitCode] = await Promise.all([home.leave(), worker.terminate()]);
      rounds.push(exitCode);
    }
    return { rounds: rounds.length, left: figures() };
  },

  // A worker lets go of the last node on a kernel thread while the main thread starts the next one.
  async startWhileLettingGo() {
    let started = 0;
    for (let round = 0; round < Number(cycles); round += 1) {
      const home = await Foundation.start({ name: "home" });
      const workers = [0, 1].map(() => startWorker({ scenario: "leavingWorker" }));
      await Promise.all(workers.map(({ ready }) => ready));
      await home.leave();
      for (let next = 0; next < 3; next += 1) {
        const node = await Foundation.start({ name: `next-${next}` });
        started += 1;
        await node.leave();
      }
      await Promise.all(workers.map(({ ended }) => ended));
    }
    return { started, left: figures() };
  },

  async leavingWorker() {
    const node = await Foundation.attach({ name: "home" });
    node.on("left", () => process.exit(0));
    parentPort.postMessage("ready");
  },

  async idleWorker() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("worker", () => {});
    parentPort.postMessage("ready");
  },
};

/** Shows that a node still works: its peer calls a new name of it. */
async function peerCalls(home, peer) {
  home.handle("alive", (message) => message);
  return peer.call({ node: "home", name: "alive" }, "alive");
}

const result = await scenarios[name]();
if (isMainThread) process.stdout.write(`${JSON.stringify(result)}\n`);
