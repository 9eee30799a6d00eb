/** Calls of the main thread to a handler of a worker of the same node. */

import { isMainThread, parentPort, Worker } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../../child.mjs";
import { makeCalls } from "../../../cluster/calls.mjs";
import { awaitHandler } from "../handler.mjs";

const ECHO = "echo";

async function runMain() {
  const plan = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "host", cluster: "bench", listen: "127.0.0.1:0" });
  const worker = new Worker(new URL(import.meta.url));
  worker.on("error", fail);
  await new Promise((resolve) => worker.once("message", resolve));
  await awaitHandler(node, ECHO);
  const to = { node: node.name, name: ECHO };
  report("result", await makeCalls((object) => node.call(to, object), plan));
}

async function runWorker() {
  const node = await Foundation.attach();
  node.handle(ECHO, (object) => object);
  parentPort.postMessage("listening");
}

(isMainThread ? runMain() : runWorker()).catch(fail);
