// A process ends in the middle of traffic, in each of the ways a process ends by itself or is told
// to: it ends at once, with the exit code it was given.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";
import { prove } from "./harness/prove.mjs";
import { flood, startNodes } from "./harness/traffic.mjs";

const OWN = fileURLToPath(import.meta.url);
const [, , role, way, code] = process.argv;
const WAYS = ["handler", "timer", "worker", "SIGTERM"];
const at = (node) => ({ node, name: "sink" });
/**
 * Node itself hangs in one of some 250 exits of this kind: `process.exit` joins V8's helpers, and
 * one that compiles in the background waits for a collection that the main thread would have to do
 * (nodejs/node#54918, open). Without compiling in the background, what hangs is ours.
 */
const NODE_FLAGS = [...process.execArgv, "--no-concurrent-recompilation"];
/** A process that does not end by then hangs. Unit: ms. */
const HANGS_AFTER_MS = 30_000;

async function worker() {
  const node = await Foundation.attach({ name: "home" });
  let heard = 0;
  node.handle(`inWorker.${workerData.index}`, () => {
    heard += 1;
    if (workerData.way === "worker" && heard === 200) process.exit(9); // ends the worker alone
  });
  void flood(node, at("peer"), new Uint8Array(40_000));
  void flood(node, at("home"), { text: "small" });
}

async function ending() {
  const [home, peer] = await startNodes(["home", "peer"], { ringBytes: 16 << 10 });
  let heard = 0;
  const onMessage = () => {
    heard += 1;
    if (heard === 500) process.send("in traffic");
    if (heard === 1_000 && way === "handler") process.exit(Number(code));
    if (heard === 1_000 && way === "timer") setTimeout(() => process.exit(Number(code)), 1);
  };
  home.handle("sink", onMessage);
  peer.handle("sink", onMessage);
  for (let index = 0; index < 2; index += 1) {
    const started = new Worker(OWN, { workerData: { index, way } });
    started.once("exit", () => process.exit(Number(code)));
  }
  for (const index of [0, 1]) {
    const to = { node: "home", name: `inWorker.${index}` };
    void flood(home, to, { text: "small" });
    void flood(peer, to, new Uint8Array(40_000));
  }
}

async function run({ cycles, progress, expect, random }) {
  const ends = {};
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    for (const chosen of WAYS) {
      const given = 1 + Math.floor(random() * 120);
      const child = fork(OWN, ["ending", chosen, String(given)], { execArgv: NODE_FLAGS });
      const hung = setTimeout(() => child.kill("SIGKILL"), HANGS_AFTER_MS);
      if (chosen === "SIGTERM") child.once("message", () => child.kill("SIGTERM"));
      const [exitCode, signal] = await once(child, "exit");
      clearTimeout(hung);
      const isRight = chosen === "SIGTERM" ? signal === "SIGTERM" : exitCode === given;
      expect(isRight, `cycle ${cycle}, ${chosen}: ended with ${signal ?? exitCode}, not ${given}`);
      if (isRight) ends[chosen] = (ends[chosen] ?? 0) + 1;
    }
    if (cycle % 10 === 0) progress(`${cycle} of ${cycles}`);
  }
  return ends;
}

const title = "a process ends in traffic at once, with its own exit code";
if (!isMainThread) await worker();
else if (role === "ending") await ending();
else await prove({ title, cycles: { full: 100, short: 3 }, run });
