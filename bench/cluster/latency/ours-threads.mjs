/** Our round trip inside one process: the main thread calls a handler of a worker. */

import { isMainThread, parentPort, Worker } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { awaitHandler } from "../../micro/threads/handler.mjs";
import { URGENT } from "./channels.mjs";
import { startPinging } from "./round-trips.mjs";

async function runMain() {
  const { timing, nodeOptions } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "host",
    cluster: "bench",
    listen: "127.0.0.1:0",
    channels: URGENT.channels,
    ...nodeOptions,
  });
  const worker = new Worker(new URL(import.meta.url));
  worker.on("error", fail);
  await new Promise((resolve) => worker.once("message", resolve));
  await awaitHandler(node, "echo");
  const to = { node: node.name, name: "echo" };
  const onPong = startPinging(timing, (ping) => {
    node
      .call(to, ping, URGENT.options)
      .then((pong) => onPong(pong))
      .catch(fail);
  });
}

async function runWorker() {
  const node = await Foundation.attach();
  node.handle("echo", (ping) => ping);
  parentPort.postMessage("listening");
}

(isMainThread ? runMain() : runWorker()).catch(fail);
