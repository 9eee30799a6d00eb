/** Ours: a worker attaches to its process's node; either thread sends to a handler of the other. */

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { sendStream, takeStream } from "../../cluster/ours/streams.mjs";
import { awaitHandler } from "./handler.mjs";

/** A name of the receiver that it takes after its sink: who is answered here finds the sink. */
const PROBE = "probe";

function take(node, plan) {
  takeStream(node, plan);
  node.handle(PROBE, () => true);
}

async function send(node, plan) {
  await awaitHandler(node, PROBE);
  await sendStream(node, node.name, plan);
}

async function runMain() {
  const plan = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "host", cluster: "bench", listen: "127.0.0.1:0" });
  const isSending = plan.direction === "main to worker";
  if (!isSending) take(node, plan);
  const worker = new Worker(new URL(import.meta.url), { workerData: plan });
  worker.on("error", fail);
  if (isSending) worker.once("message", () => send(node, plan).catch(fail));
}

async function runWorker() {
  const node = await Foundation.attach();
  if (workerData.direction === "worker to main") return send(node, workerData);
  take(node, workerData);
  parentPort.postMessage("listening");
}

(isMainThread ? runMain() : runWorker()).catch(fail);
