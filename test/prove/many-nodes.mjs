// Hundreds of nodes start and leave in one process: one after the other, and all at once.
import { Foundation } from "../../dist/ts/index.js";
import { expectNothingLeft, growth, holdings, settledTo } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { startNodes } from "./harness/traffic.mjs";

/** Every node of a cluster is linked with every other one. */
const CLUSTER_NODES = 5;
const RINGS = { ringBytes: 16 << 10 };

/** One cluster: every node calls the next. */
async function cluster(number) {
  const names = Array.from({ length: CLUSTER_NODES }, (_, index) => `node-${index}`);
  const nodes = await startNodes(names, { ...RINGS, cluster: `cluster-${number}` });
  for (const node of nodes) node.handle("size", (message) => message.length);
  return nodes;
}

async function callAround(nodes, expect) {
  for (const [index, node] of nodes.entries()) {
    const to = { node: `node-${(index + 1) % nodes.length}`, name: "size" };
    const size = await node.call(to, new Uint8Array(20_000), { timeoutMs: 20_000 });
    expect(size === 20_000, `a call was answered with ${size}`);
  }
}

async function run({ cycles, progress, expect }) {
  let warm;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const node = await Foundation.start({ ...RINGS, name: `single-${cycle}` });
    await node.leave();
    if (cycle === Math.ceil(cycles / 4)) warm = holdings();
  }
  const sequential = await settledTo(warm);
  for (const grown of growth(warm, sequential)) expect(false, `one by one: ${grown}`);
  progress(`${cycles} nodes, one by one`);
  await expectNothingLeft(expect);
  const clusters = Math.ceil(cycles / CLUSTER_NODES);
  const startMs = performance.now();
  const all = await Promise.all(Array.from({ length: clusters }, (_, index) => cluster(index)));
  const atOnce = holdings();
  progress(`${atOnce.nodes} nodes at once on ${atOnce.kernels} kernel thread`);
  await Promise.all(all.map((nodes) => callAround(nodes, expect)));
  await Promise.all(all.flat().map((node) => node.leave({ drainMs: 1_000 })));
  await expectNothingLeft(expect);
  const atOnceMs = Math.round(performance.now() - startMs);
  return { sequential, atOnce, atOnceMs };
}

const title = "hundreds of nodes of one process leave nothing behind";
await prove({ title, cycles: { full: 200, short: 25 }, run });
