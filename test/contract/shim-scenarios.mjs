// Scenarios of the C++ shim, each run in a process of its own (a crash must be seen, and a process
// connects to one core only): `node --expose-gc shim-scenarios.mjs NAME SHIM TEST_CORE`.
// Prints what it found as JSON.
import { createRequire } from "node:module";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const require = createRequire(import.meta.url);
const [, , name, shimPath, corePath] = isMainThread ? process.argv : [...workerData];

/** How long collected blocks may take to reach the core. Unit: ms. */
const COLLECTION_DEADLINE_MS = 30_000;

function load() {
  return { shim: require(shimPath), core: require(corePath) };
}

function connected() {
  const { shim, core } = load();
  shim.connect(core.good);
  return { shim, core };
}

/** The code of the error that `attempt` throws, or what it returned instead. */
function codeOf(attempt) {
  try {
    return `no error: ${String(attempt())}`;
  } catch (error) {
    return error.code ?? `no code: ${error.message}`;
  }
}

/** Collects until `isDone()`; finalizers run between the turns of the loop. */
async function collectUntil(isDone) {
  const deadlineMs = performance.now() + COLLECTION_DEADLINE_MS;
  while (!isDone() && performance.now() < deadlineMs) {
    globalThis.gc();
    await turn();
  }
}

function startWorker(scenario) {
  return new Worker(fileURLToPath(import.meta.url), {
    workerData: [null, null, scenario, shimPath, corePath],
  });
}

/** The next message of a worker; its error or its early exit rejects. */
function answer(worker) {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker left with ${code}`)));
  });
}

const scenarios = {
  badArguments() {
    const { shim, core } = load();
    const early = [codeOf(() => shim.allocateShared(16)), codeOf(() => shim.openShared(1n))];
    const wrong = [undefined, null, 7, "1", {}, -1n, 2n ** 64n, 0n, 1n, 8n, 2n ** 63n];
    const addresses = wrong.map((value) => codeOf(() => shim.connect(value)));
    addresses.push(codeOf(() => shim.connect()));
    const tables = [core.laterVersion, core.short, core.hollow];
    const refused = tables.map((table) => codeOf(() => shim.connect(table)));
    shim.connect(core.good);
    shim.connect(core.good);
    const other = codeOf(() => shim.connect(core.other));
    const sizes = [undefined, "16", 16n, 0, -1, 1.5, Number.NaN, Infinity, 2 ** 32, 2 ** 53].map(
      (bytes) => codeOf(() => shim.allocateShared(bytes)),
    );
    const ids = [undefined, 1, "1", -1n, 2n ** 64n].map((id) => codeOf(() => shim.openShared(id)));
    const tooLarge = codeOf(() => shim.allocateShared(2 ** 32 - 1));
    const unknown = codeOf(() => shim.openShared(123_456n));
    return { early, addresses, refused, other, sizes, ids, tooLarge, unknown };
  },

  sameStore() {
    const { shim, core } = connected();
    const { id, buffer } = shim.allocateShared(4096);
    const again = shim.openShared(id);
    new Uint8Array(buffer)[7] = 42;
    return {
      isShared: again instanceof SharedArrayBuffer,
      byteLength: again.byteLength,
      seen: new Uint8Array(again)[7],
      stats: shim.stats(),
      core: core.counts(),
    };
  },

  async receivedBlock() {
    const { shim, core } = connected();
    const id = core.allocateInCore(1024);
    let buffer = shim.openShared(id);
    // The core lets go first: the memory must live on under JavaScript's reference alone.
    core.releaseInCore(id);
    const live = { seen: new Uint8Array(buffer)[1023], core: core.counts() };
    buffer = undefined;
    await collectUntil(() => core.counts().live === 0);
    return { live, core: core.counts(), gone: codeOf(() => shim.openShared(id)) };
  },

  async crossWorkers() {
    const { shim, core } = connected();
    const [left, right] = [startWorker("echoWorker"), startWorker("echoWorker")];
    const { id, buffer } = shim.allocateShared(64);
    const view = new Int32Array(buffer);
    const answers = [answer(left), answer(right)];
    left.postMessage({ id });
    right.postMessage({ buffer });
    const sums = await Promise.all(answers);
    await Promise.all([left.terminate(), right.terminate()]);
    return { sums, total: view[0], core: core.counts() };
  },

  async tenThousandBlocks() {
    const { shim, core } = connected();
    const workers = [startWorker("allocatingWorker"), startWorker("allocatingWorker")];
    const ids = await Promise.all(workers.map(answer));
    const exits = workers.map((worker) => new Promise((done) => worker.once("exit", done)));
    for (const worker of workers) worker.postMessage("leave");
    await Promise.all(exits);
    await collectUntil(() => core.counts().live === 0);
    return { ids: ids.flat().length, stats: shim.stats(), core: core.counts() };
  },

  // Two workers open and drop one id all the time, so that opens meet dying stores.
  async openAgainstCollection() {
    const { shim, core } = connected();
    const id = core.allocateInCore(256);
    const workers = [0, 1].map(() => startWorker("reopeningWorker"));
    const answers = workers.map(answer);
    for (const worker of workers) worker.postMessage({ id });
    const wrongBytes = await Promise.all(answers);
    await Promise.all(workers.map((worker) => worker.terminate()));
    core.releaseInCore(id);
    await collectUntil(() => core.counts().live === 0);
    return { wrongBytes, stats: shim.stats(), core: core.counts() };
  },

  // The main isolate never loads the shim, and the worker that did is gone when the store dies.
  async onlyInWorker() {
    const worker = startWorker("lendingWorker");
    let buffer = await answer(worker);
    await worker.terminate();
    const seen = new Uint8Array(buffer)[0];
    buffer = undefined;
    const core = require(corePath);
    await collectUntil(() => core.counts().live === 0);
    return { seen, core: core.counts() };
  },

  // Nobody calls gc() here: the accounted bytes alone must make the collector free blocks.
  async pressure() {
    const { shim, core } = connected();
    const blockBytes = 1 << 20;
    let liveMax = 0;
    for (let made = 0; made < 2_000; made += 1) {
      shim.allocateShared(blockBytes);
      if (made % 16 === 0) await turn();
      liveMax = Math.max(liveMax, core.counts().live);
    }
    return { liveMax, stats: shim.stats() };
  },

  echoWorker() {
    const { shim } = connected();
    parentPort.on("message", ({ id, buffer }) => {
      const view = new Int32Array(buffer ?? shim.openShared(id));
      for (let step = 0; step < 1000; step += 1) Atomics.add(view, 0, 1);
      parentPort.postMessage(1000);
    });
  },

  allocatingWorker() {
    const { shim } = connected();
    const ids = [];
    const held = [];
    for (let made = 0; made < 5_000; made += 1) {
      const block = shim.allocateShared(1 + (made % 4096));
      ids.push(block.id);
      if (made % 5 === 0) held.push(block.buffer); // Some are still held when the worker leaves.
    }
    parentPort.once("message", () => held.splice(0, held.length / 2));
    parentPort.postMessage(ids);
  },

  reopeningWorker() {
    const { shim } = connected();
    // In a function of its own, so that no frame keeps the buffer alive across the collection. The
    // test core overwrites freed memory, so a byte that is not 0 was read after the release.
    const isWhole = (id) => new Uint8Array(shim.openShared(id))[255] === 0;
    parentPort.once("message", async ({ id }) => {
      let wrongBytes = 0;
      for (let round = 0; round < 300; round += 1) {
        if (!isWhole(id)) wrongBytes += 1;
        globalThis.gc();
        await turn();
      }
      parentPort.postMessage(wrongBytes);
    });
  },

  lendingWorker() {
    const { shim } = connected();
    const { buffer } = shim.allocateShared(64);
    new Uint8Array(buffer)[0] = 9;
    parentPort.postMessage(buffer);
    parentPort.on("message", () => {}); // Stay until terminated.
  },
};

const result = await scenarios[name]();
if (isMainThread) process.stdout.write(`${JSON.stringify(result)}\n`);
