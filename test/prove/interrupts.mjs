// Workers are terminated while other isolates interrupt them without a pause.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { capabilities, Foundation } from "../../dist/ts/index.js";
import { expectNothingLeft, growth, holdings, settledTo, until } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { startNodes } from "./harness/traffic.mjs";

const OWN = fileURLToPath(import.meta.url);

async function doomed() {
  await Foundation.attach({ name: "home" });
  parentPort.postMessage("ready");
  const kept = [];
  for (let round = 0; ; round += 1) {
    kept[round % 64] = JSON.stringify({ round, kept: kept.length });
    if (round % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Interrupts every other isolate of the node as often as it can. */
async function interrupting(node, isStopped) {
  const answers = {};
  const own = node.isolates().length;
  while (!isStopped()) {
    for (const { slot, threadId } of node.isolates()) {
      if (threadId === 0) continue;
      const ask = [
        node.stackOf(slot, { timeoutMs: 50 }),
        node.heapOf(slot, { timeoutMs: 50 }),
        node.stackOf(slot, { timeoutMs: 1 }),
      ];
      for (const { status, reason } of await Promise.allSettled(ask)) {
        const answer = status === "fulfilled" ? "answered" : reason.code;
        answers[answer] = (answers[answer] ?? 0) + 1;
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { own, ...answers };
}

async function interrupter() {
  const node = await Foundation.attach({ name: "home" });
  const word = new Int32Array(workerData.stop);
  parentPort.postMessage("ready");
  const answers = await interrupting(node, () => Atomics.load(word, 0) === 1);
  node.detach();
  parentPort.postMessage(answers);
}

async function run({ cycles, progress, expect, random }) {
  if (!capabilities().interrupts) throw new Error("no shim: nothing can be interrupted");
  const [home] = await startNodes(["home"], { ringBytes: 16 << 10 });
  const stop = new SharedArrayBuffer(4);
  const other = new Worker(OWN, { workerData: { role: "interrupter", stop } });
  await once(other, "message");
  let isStopped = false;
  const doing = interrupting(home, () => isStopped);
  let warm;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const worker = new Worker(OWN, { workerData: { role: "doomed" } });
    await once(worker, "message");
    const turns = Math.floor(random() * 20);
    for (let turn = 0; turn < turns; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const found = home.isolates().find(({ threadId }) => threadId === worker.threadId);
    const ended = once(worker, "exit");
    if (random() < 0.5 && found !== undefined) home.terminateIsolate(found.slot);
    else void worker.terminate();
    await ended;
    expect(await until(() => home.metrics().isolates === 2), `cycle ${cycle}: still attached`);
    if (cycle === Math.ceil(cycles / 2)) warm = holdings();
    if (cycle % 50 === 0) progress(`${cycle} of ${cycles}`);
  }
  const after = await settledTo(warm);
  for (const grown of growth(warm, after)) expect(false, grown);
  isStopped = true;
  const inMain = await doing;
  const told = once(other, "message");
  Atomics.store(new Int32Array(stop), 0, 1);
  const [inWorker] = await told;
  await other.terminate();
  await home.leave();
  await expectNothingLeft(expect);
  const allowed = new Set(["own", "answered", "not_stalled", "unknown_isolate", "timeout"]);
  for (const answers of [inMain, inWorker]) {
    const wrong = Object.keys(answers).filter((answer) => !allowed.has(answer));
    expect(wrong.length === 0 && answers.answered > 0, JSON.stringify(answers));
  }
  return { inMain, inWorker, warm, after };
}

const title = "isolates may die while they are interrupted";
if (isMainThread) await prove({ title, cycles: { full: 200, short: 20 }, run });
else await { doomed, interrupter }[workerData.role]();
