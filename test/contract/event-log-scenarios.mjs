// The beginnings and ends of warm stores, each scenario in a process of its own:
// `node event-log-scenarios.mjs NAME FOLDER`. Prints what it found as JSON.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { WarmStore } from "../../dist/ts/index.js";
import { numberedEvent } from "../integration/fixtures/warm-events.mjs";
import { outcome } from "./outcomes.mjs";

const TERMINATIONS = 60;
const [, , name, path] = isMainThread
  ? process.argv
  : ["", "", workerData.scenario, workerData.path];

const batch = (first, count) => Array.from({ length: count }, (_, at) => numberedEvent(first + at));
const threads = () => readdirSync("/proc/self/task").length;

async function eventsOf(folder) {
  const store = await WarmStore.open({ path: folder });
  const { events } = await store.stats();
  await store.close();
  return events;
}

/** Starts a worker that appends until it is terminated; `acknowledged` grows with its messages. */
async function startWriter() {
  const data = { scenario: "writingWorker", path };
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data });
  const writer = { worker, acknowledged: 0 };
  await new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("message", (id) => {
      writer.acknowledged = id;
      resolve();
    });
  });
  return writer;
}

const scenarios = {
  async terminateWorkers() {
    const settled = { threads: 0 };
    let acknowledged = 0;
    for (let round = 0; round < TERMINATIONS; round++) {
      const writer = await startWriter();
      await writer.worker.terminate();
      ({ acknowledged } = writer);
      if (round === 9) settled.threads = threads();
    }
    const events = await eventsOf(path);
    return {
      isWhole: events >= acknowledged && acknowledged > 0,
      more: threads() - settled.threads,
    };
  },

  async writingWorker() {
    const store = await WarmStore.open({ path });
    for (let { eventIdMax: next } = await store.stats(); ; next += 50) {
      await store.append(batch(next + 1, 50));
      parentPort.postMessage(next + 50);
    }
  },

  async closeTwice() {
    const store = await WarmStore.open({ path });
    const appended = outcome(() => store.append(batch(1, 3)));
    const closes = await Promise.all([outcome(() => store.close()), outcome(() => store.close())]);
    const later = {};
    const calls = { append: [], get: 1, query: { limit: 1 }, pruneBefore: 1, stats: 0, close: 0 };
    for (const [call, argument] of Object.entries(calls)) {
      later[call] = await outcome(() => store[call](argument));
    }
    return { appended: await appended, closes, later, events: await eventsOf(path) };
  },

  async openTwice() {
    const first = await WarmStore.open({ path });
    const second = await outcome(() => WarmStore.open({ path }));
    await first.close();
    return { second, third: await outcome(() => WarmStore.open({ path })) };
  },

  // No request is under way: the process ends although the store is open.
  async leaveOpen() {
    const store = await WarmStore.open({ path });
    await store.append(batch(1, 5));
    return {};
  },

  // The promise is never awaited, and the process ends at once.
  async exitAtOnce() {
    const store = await WarmStore.open({ path });
    void store.append(batch(1, 7));
    await Promise.resolve(); // the group is handed over
    process.exit(0);
  },

  async count() {
    return { events: await eventsOf(path) };
  },

  async garbage() {
    const found = {};
    const folders = {
      "a segment of noise": (folder) =>
        writeFileSync(`${folder}/000000000001.segment`, noise(9_000)),
      "an earlier segment of noise": (folder) => {
        writeFileSync(`${folder}/000000000001.segment`, noise(9_000));
        writeFileSync(`${folder}/000000000002.segment`, "");
      },
      "an index of noise": (folder) => writeFileSync(`${folder}/index.redb`, noise(9_000)),
      "an empty index": (folder) => writeFileSync(`${folder}/index.redb`, ""),
      "an index that is a folder": (folder) => mkdirSync(`${folder}/index.redb`),
      "other files": (folder) => writeFileSync(`${folder}/notes.segment`, "none of ours"),
    };
    for (const [what, plant] of Object.entries(folders)) {
      const folder = `${path}/${what.replaceAll(" ", "-")}`;
      mkdirSync(folder);
      plant(folder);
      found[what] = await outcome(async () => {
        const store = await WarmStore.open({ path: folder });
        await store.append(batch(1, 2));
        const { events } = await store.stats();
        await store.close();
        return events;
      });
    }
    writeFileSync(`${path}/file`, "");
    found["a file for a folder"] = await outcome(() => WarmStore.open({ path: `${path}/file` }));
    return found;
  },
};

function noise(length) {
  return Uint8Array.from({ length }, (_, at) => (at * 2_654_435_761) >>> 13);
}

const result = await scenarios[name]();
if (isMainThread) process.stdout.write(`${JSON.stringify(result)}\n`);
