// Event loops are stalled again and again: each time the node is busy and then idle, for its peer
// as for itself, and never down.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";
import { expectNothingLeft, until } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { flood, startNodes } from "./harness/traffic.mjs";

const BUSY_AFTER_MS = 50;

function stall(ms) {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

async function worker() {
  const node = await Foundation.attach({ name: "home" });
  node.handle("stall", (ms) => void setImmediate(stall, ms));
  parentPort.postMessage("ready");
}

async function run({ cycles, progress, expect, random }) {
  const options = { busyAfterMs: BUSY_AFTER_MS, heartbeatMs: 100, silentAfterMs: 2_000 };
  const [home, peer] = await startNodes(["home", "peer"], options);
  const counts = { busy: 0, idle: 0, busySelf: 0, idleSelf: 0, down: 0 };
  peer.on("busy", ({ name }) => (counts.busy += Number(name === "home")));
  peer.on("idle", ({ name }) => (counts.idle += Number(name === "home")));
  home.on("busy", ({ name }) => (counts.busySelf += Number(name === "home")));
  home.on("idle", ({ name }) => (counts.idleSelf += Number(name === "home")));
  for (const node of [home, peer]) node.on("down", () => (counts.down += 1));
  const started = new Worker(fileURLToPath(import.meta.url));
  await once(started, "message");
  const to = { node: "home", name: "stall" };
  let isStopped = false;
  home.handle("sink", () => {});
  const flooding = flood(peer, { node: "home", name: "sink" }, { text: "small" }, () => isStopped);
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const stalled = 700 + Math.floor(random() * 400);
    while ((await peer.call(to, stalled).catch(({ code }) => code)) === "noproc");
    const hasCome = await until(() => counts.busy === cycle && counts.idle === cycle);
    expect(hasCome, `cycle ${cycle}: ${JSON.stringify(counts)}`);
    if (!hasCome) break;
    if (cycle % 10 === 0) progress(`${cycle} of ${cycles}`);
  }
  expect(counts.busySelf === counts.busy && counts.down === 0, JSON.stringify(counts));
  const found = { ...counts }; // what follows ends both nodes
  isStopped = true;
  await flooding;
  await started.terminate();
  await Promise.all([home.leave(), peer.leave()]);
  await expectNothingLeft(expect);
  return found;
}

const title = "a stalled event loop is busy each time, and never down";
if (isMainThread) await prove({ title, cycles: { full: 60, short: 4 }, run });
else await worker();
