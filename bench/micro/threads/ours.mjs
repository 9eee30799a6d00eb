/** Ours: a worker attaches to its process's node; either thread sends to a handler of the other. */

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createSource, MARK, Pace, Tally } from "../../cluster/stream.mjs";
import { awaitHandler } from "./handler.mjs";

/** A name of the receiver that it takes after its sink: who is answered here finds the sink. */
const PROBE = "probe";

function take(node, { payload, bytes }) {
  const tally = new Tally(payload);
  const takeOne =
    payload.kind === "bytes"
      ? (message) => tally.takeBytes(message)
      : (message) => tally.takeObject(message);
  node.handle(
    "sink",
    (message) => {
      try {
        if (takeOne(message)) report("result", tally.result);
      } catch (error) {
        fail(error);
      }
    },
    { bytes },
  );
  node.handle(PROBE, () => true);
}

async function send(node, { payload, timing }) {
  await awaitHandler(node, PROBE);
  const to = { node: node.name, name: "sink" };
  const options = { channel: "default" };
  const drain = { to: node.name, channel: "default" };
  const messageOf = createSource(payload);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    const message = messageOf(sequence, mark);
    while (!node.send(to, message, options)) await node.drained(drain);
    if (mark === MARK.last) return;
  }
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
