// The core panics again and again at every kind of entry, while messages are under way.
import { Foundation } from "../../dist/ts/index.js";
import {
  core,
  expectNothingLeft,
  growth,
  holdings,
  rested,
  settledTo,
} from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { flood } from "./harness/traffic.mjs";

let started = 0;

/** Numbers of nodes count up in a process. */
async function start(options) {
  const node = await Foundation.start(options);
  started += 1;
  return { node, id: started };
}

/** Two nodes in traffic on kernel threads of their own; the first one's panics. */
async function kernelPanics(place, expect, options = {}) {
  const other = (await start({ name: "other", kernelCore: 0 })).node;
  const { node: home, id } = await start({ name: "home", seeds: [other.address], ...options });
  await home.awaitReady({ minimumMembers: 2 });
  await other.awaitReady({ minimumMembers: 2 });
  other.handle("never", () => new Promise(() => {}));
  home.handle("sink", () => {});
  let isOver = false;
  const flooding = flood(
    other,
    { node: "home", name: "sink" },
    new Uint8Array(40_000),
    () => isOver,
  );
  const call = home.call({ node: "other", name: "never" }, 1, { timeoutMs: 20_000 });
  const code = call.catch((error) => error.code);
  const failed = new Promise((resolve) => home.on("failed", resolve));
  core.panicForTest(place, id);
  expect((await failed).code === "kernel_panicked", `${place}: no event`);
  expect((await code) === "kernel_panicked", `${place}: the call ended with ${await code}`);
  isOver = true;
  await flooding;
  await other.leave({ drainMs: 100 });
}

async function callPanics(expect) {
  let message;
  try {
    core.panicForTest("call");
  } catch (error) {
    message = error.message;
  }
  expect(message === "a panic for the test of the boundary", `call: ${message}`);
}

async function wakePanics(expect) {
  const { node } = await start({ name: "woken" });
  const peer = (await start({ name: "peer", seeds: [node.address] })).node;
  await peer.awaitReady({ minimumMembers: 2 });
  const raised = new Promise((resolve) => process.once("uncaughtException", resolve));
  node.handle("echo", (text) => text);
  core.panicForTest("doorbell");
  const answer = await peer.call({ node: "woken", name: "echo" }, "answer");
  expect((await raised).code === "internal" && answer === "answer", `doorbell: ${answer}`);
  await Promise.all([node.leave(), peer.leave()]);
}

async function run({ cycles, progress, expect }) {
  // A kernel thread that lives gives memory back: what a flood touched is not what is held.
  const { node: keeper } = await start({ name: "keeper", kernelCore: 0 });
  let warm;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    await callPanics(expect);
    await wakePanics(expect);
    await kernelPanics("kernel", expect);
    await kernelPanics("task", expect);
    await kernelPanics("isolate", expect, { io: "isolate" });
    if (cycle === Math.ceil(cycles / 4)) {
      await rested();
      warm = holdings();
    }
    if (cycle % 10 === 0) progress(`${cycle} of ${cycles}`);
  }
  await rested();
  const after = await settledTo(warm);
  for (const grown of growth(warm, after)) expect(false, grown);
  await keeper.leave();
  await expectNothingLeft(expect);
  const { panics } = core.boundaryCounters();
  expect(panics === 5 * cycles, `${panics} panics counted`);
  return { panics, warm, after };
}

const title = "panics of the core are errors, and a kernel thread's is heard by all";
await prove({ title, cycles: { full: 100, short: 4 }, run });
