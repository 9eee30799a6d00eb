// Handlers throw whatever can be thrown, called by a link, by another isolate and by their own:
// each is reported once, in its own isolate, and the node goes on.
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";
import { expectNothingLeft, until } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { startNodes } from "./harness/traffic.mjs";

const hostile = () => Object.defineProperty({}, "message", { get: () => 1 / 0 });
const VALUES = [() => new Error("an error"), () => "a string", () => null, () => undefined];
VALUES.push(
  () => 7,
  () => Symbol("a symbol"),
  () => Object.freeze([1]),
  hostile,
);

/** Handlers that throw the value a message names, at once or later; counts what is reported. */
function throwing(node, prefix) {
  const counts = { thrown: 0, reported: 0 };
  process.on("uncaughtException", () => {
    counts.reported += 1;
  });
  node.handle(`${prefix}.sync`, (index) => {
    counts.thrown += 1;
    throw VALUES[index]();
  });
  node.handle(`${prefix}.async`, async (index) => {
    counts.thrown += 1;
    await null;
    throw VALUES[index]();
  });
  node.handle(`${prefix}.counts`, () => counts);
  return counts;
}

async function worker() {
  const node = await Foundation.attach({ name: "home" });
  throwing(node, "worker");
  parentPort.postMessage("ready");
}

async function run({ cycles, progress, expect, random }) {
  const [home, peer] = await startNodes(["home", "peer"]);
  const inMain = throwing(home, "main");
  const started = new Worker(fileURLToPath(import.meta.url));
  await once(started, "message");
  const ask = (name) => peer.call({ node: "home", name }, 0).catch(({ code }) => code);
  const isKnown = async () => (await ask("worker.counts")) !== "noproc";
  while (!(await isKnown()));
  const sent = { main: 0, worker: 0 };
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const sender = random() < 0.5 ? home : peer;
    const prefix = random() < 0.5 ? "main" : "worker";
    const kind = random() < 0.5 ? "sync" : "async";
    const to = { node: "home", name: `${prefix}.${kind}` };
    while (!sender.send(to, Math.floor(random() * VALUES.length))) {
      await sender.drained({ to: "home" });
    }
    sent[prefix] += 1;
    // A call that fails is its caller's business alone.
    if (cycle % 10 === 0) {
      const failed = await peer.call({ node: "home", name: "main.sync" }, 0).catch((e) => e.code);
      inMain.thrown -= 1;
      expect(failed === "handler_failed", `a call of a throwing handler ended with ${failed}`);
    }
    if (cycle % 1_000 === 0) progress(`${cycle} of ${cycles}`);
  }
  await until(() => inMain.thrown === sent.main && inMain.reported === sent.main);
  let inWorker = await ask("worker.counts");
  const endMs = performance.now() + 20_000;
  while (inWorker.reported < sent.worker && performance.now() < endMs) {
    inWorker = await ask("worker.counts");
  }
  for (const [where, counts] of Object.entries({ main: inMain, worker: inWorker })) {
    const text = `${where}: ${sent[where]} sent, ${JSON.stringify(counts)}`;
    expect(counts.thrown === sent[where] && counts.reported === sent[where], text);
  }
  await started.terminate();
  await Promise.all([home.leave(), peer.leave()]);
  await expectNothingLeft(expect);
  return { reportedInMain: inMain.reported, reportedInWorker: inWorker.reported };
}

const title = "what handlers throw is reported once, in their isolate";
if (isMainThread) await prove({ title, cycles: { full: 10_000, short: 500 }, run });
else await worker();
