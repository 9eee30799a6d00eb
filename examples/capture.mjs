// What many isolates of a node do, taken down at the price of a call and read in batches.
import { Worker } from "node:worker_threads";
import { Foundation } from "foundation-runtime";

const PROGRAM = `
  import { Foundation } from ${JSON.stringify(import.meta.resolve("foundation-runtime"))};
  const node = await Foundation.attach();
  for (let order = 1; order <= 1_000; order++) {
    await node.capture.recordOrWait("order", { order }, { correlationId: "batch-7" });
  }
  node.detach();
`;

const ringBuffer = { size: 256, overflowStrategy: "block" };
const config = { values: { capture: { ringBuffer, processing: { batchSize: 50 } } } };
const node = await Foundation.start({ config });
const events = [];
node.capture.subscribe((batch) => events.push(...batch));

const workers = [1, 2].map(() => {
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`));
});
await Promise.all(workers.map((worker) => new Promise((done) => worker.once("exit", done))));

const untrace = node.capture.trace();
const pid = node.beam.processes.spawn(() => {}, { label: "clerk" });
await node.beam.processes.stop(pid);
untrace();

await node.capture.flush();
const orders = events.filter(({ type }) => type === "order");
const traced = events.filter(({ pid: whose }) => whose?.equals(pid)).map(({ type }) => type);
console.log(`${orders.length} orders, all of ${orders[0].correlationId}`);
console.log(`the clerk: ${traced.join(", ")}`);
const { totalWrites, totalReads, dropped } = node.capture.stats();
console.log(`written ${totalWrites}, read ${totalReads}, dropped ${dropped}`);
await node.leave();
