/** Ours: a worker attaches to its process's node and sends to a handler of the main thread. */

import { isMainThread, Worker, workerData } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createSource, MARK, Pace, Tally } from "../../cluster/stream.mjs";

async function receive() {
  const { payload, timing } = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "host", cluster: "bench", listen: "127.0.0.1:0" });
  const tally = new Tally(payload);
  const take =
    payload.kind === "bytes"
      ? (message) => tally.takeBytes(message)
      : (message) => tally.takeObject(message);
  node.handle("sink", (message) => {
    try {
      if (take(message)) report("result", tally.result);
    } catch (error) {
      fail(error);
    }
  });
  const worker = new Worker(new URL(import.meta.url), { workerData: { payload, timing } });
  worker.on("error", fail);
}

async function send() {
  const { payload, timing } = workerData;
  const node = await Foundation.attach();
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

(isMainThread ? receive() : send()).catch(fail);
