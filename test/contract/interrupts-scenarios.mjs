// What isolates can do to each other through the C++ shim. Each scenario is a process of its own,
// since a crash must be seen: `node interrupts-scenarios.mjs NAME`. Prints what it found.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";

const [, , name] = isMainThread ? process.argv : ["", "", workerData.scenario];

const codeOf = (call) =>
  Promise.resolve()
    .then(call)
    .then(
      (value) => `no error: ${value}`,
      (error) => error.code,
    );

async function startWorker(scenario, data = {}) {
  const options = { workerData: { ...data, scenario }, stdout: false };
  const worker = new Worker(fileURLToPath(import.meta.url), options);
  await once(worker, "message");
  return worker;
}

const slotOf = (node, worker) =>
  node.isolates().find(({ threadId }) => threadId === worker.threadId)?.slot;

function spinUntilReleased(word) {
  while (Atomics.load(word, 0) === 0);
}

/** Waits for an isolate whose event loop has not come round for a while. */
async function stalled(node, worker) {
  const runningMs = () =>
    node.isolates().find(({ threadId }) => threadId === worker.threadId)?.runningMs ?? 0;
  while (runningMs() < 20) await new Promise((resolve) => setImmediate(resolve));
  return slotOf(node, worker);
}

const scenarios = {
  async stalledWorker() {
    const home = await Foundation.start({ name: "home" });
    const flag = new SharedArrayBuffer(4);
    const worker = await startWorker("spinning", { flag });
    const slot = await stalled(home, worker);
    const stack = await home.stackOf(slot);
    const heap = await home.heapOf(slot);
    Atomics.store(new Int32Array(flag), 0, 1);
    await once(worker, "message");
    const found = {
      innermost: /at (\w+) \((.*):\d+:\d+\)/.exec(stack)?.[1],
      isNamed: stack.includes("interrupts-scenarios.mjs"),
      hasHeap: heap.usedHeapBytes > 0 && heap.usedHeapBytes < heap.heapLimitBytes,
      external: heap.externalBytes >= 8 << 20,
      idleHeap: (await home.heapOf(slot)).usedHeapBytes > 0,
      ownHeap: (await home.heapOf(home.isolates()[0].slot)).usedHeapBytes > 0,
      idle: await codeOf(async () => {
        for (;;) await home.stackOf(slot); // it may still be on its way to the event loop
      }),
      own: await codeOf(() => home.stackOf(home.isolates()[0].slot)),
      nobody: await codeOf(() => home.stackOf(77)),
      nobodyHeap: await codeOf(() => home.heapOf(77)),
      root: await codeOf(() => home.terminateIsolate(home.isolates()[0].slot)),
      nobodyEnds: await codeOf(() => home.terminateIsolate(77)),
    };
    await worker.terminate();
    await home.leave();
    return found;
  },

  async spinning() {
    const node = await Foundation.attach({ name: "home" });
    const bytes = new ArrayBuffer(8 << 20);
    node.handle("kept", () => bytes.byteLength);
    parentPort.postMessage("ready");
    setImmediate(() => {
      spinUntilReleased(new Int32Array(workerData.flag));
      parentPort.postMessage("released");
    });
  },

  // A native call is no step of JavaScript.
  async waitingWorker() {
    const home = await Foundation.start({ name: "home" });
    const worker = await startWorker("waiting");
    const slot = await stalled(home, worker);
    const code = await codeOf(() => home.stackOf(slot, { timeoutMs: 100 }));
    await worker.terminate();
    await home.leave();
    return { code };
  },

  async waiting() {
    await Foundation.attach({ name: "home" });
    parentPort.postMessage("ready");
    const program = "setTimeout(() => {}, 1_000)";
    setImmediate(() => spawnSync(process.execPath, ["-e", program]));
  },

  // The loop of the main thread is seen by a worker.
  async stalledMain() {
    const home = await Foundation.start({ name: "home", busyAfterMs: 50 });
    const flag = new SharedArrayBuffer(4);
    const worker = await startWorker("watching", { flag });
    const told = once(worker, "message");
    setImmediate(() => spinUntilReleased(new Int32Array(flag)));
    const [found] = await told;
    await worker.terminate();
    await home.leave();
    return found;
  },

  async watching() {
    const node = await Foundation.attach({ name: "home" });
    node.on("busy", async ({ self }) => {
      const stall = node.isolates().find(({ threadId }) => threadId === 0);
      const stack = await node.stackOf(stall.slot);
      Atomics.store(new Int32Array(workerData.flag), 0, 1);
      parentPort.postMessage({ self, isNamed: stack.includes("at spinUntilReleased") });
    });
    parentPort.postMessage("ready");
  },

  async terminated() {
    const home = await Foundation.start({ name: "home" });
    const worker = await startWorker("endless");
    const ended = once(worker, "exit");
    const slot = await stalled(home, worker);
    const waiting = home.call({ node: "home", name: "alive" }, 1, { timeoutMs: 20_000 });
    const code = codeOf(() => waiting);
    home.terminateIsolate(slot);
    const [exitCode] = await ended;
    const found = { exitCode, call: await code, after: await codeOf(() => home.heapOf(slot)) };
    await home.leave();
    return found;
  },

  async endless() {
    const node = await Foundation.attach({ name: "home" });
    node.handle("alive", () => "alive");
    parentPort.postMessage("ready");
    setImmediate(() => {
      for (;;);
    });
  },
};

const found = await scenarios[name]();
if (isMainThread) process.stdout.write(`${JSON.stringify(found)}\n`);
