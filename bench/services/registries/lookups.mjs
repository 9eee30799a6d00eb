/** A thousand names of one isolate, looked up in another one. */

import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";

const NAMES = 1_000;

/** Names them in the main isolate; resolves with what the reader has to know. */
const CONTENDERS = {
  async ours(names) {
    const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
    for (const name of names) {
      const pid = node.beam.processes.spawn(() => {});
      node.processRegistry.register("production", name, pid);
    }
  },
  /** What it costs to find something in a map of maps, which nobody keeps up to date. */
  async map() {},
};

try {
  const { contender, timing } = parameters();
  endWithRunner();
  const names = Array.from({ length: NAMES }, (_, index) => `service ${index}`);
  await CONTENDERS[contender](names);
  const workerData = { contender, names, timing };
  const reader = new Worker(new URL("reader.mjs", import.meta.url), { workerData });
  const [figure] = await once(reader, "message");
  report("result", { figure });
} catch (error) {
  fail(error);
}
