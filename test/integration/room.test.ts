import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FoundationNode, FoundationOptions } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes } from "./local-nodes.ts";

const WORKER = fileURLToPath(new URL("./fixtures/deaf-worker.mjs", import.meta.url));
const MIB = 1 << 20;
const SINK = { node: "here", name: "sink" };

const nodes = new LocalNodes();
const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map(async (worker) => worker.terminate()));
  await nodes.leaveAll();
});

/** A node with another isolate, which reads nothing until it is let. */
async function startDeaf(
  options: FoundationOptions,
): Promise<{ readonly node: FoundationNode; listen(): void }> {
  const node = await nodes.start({ ...options, name: "here" });
  const flag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const worker = new Worker(WORKER, { workerData: { flag } });
  workers.push(worker);
  await once(worker, "message");
  // The ring is made before nobody reads it.
  expect(await node.call({ node: "here", name: "ended" }, 0)).toBe("never deaf");
  worker.postMessage("be deaf");
  await once(worker, "message");
  return {
    node,
    listen: () => {
      Atomics.store(new Int32Array(flag), 0, 1);
      Atomics.notify(new Int32Array(flag), 0);
    },
  };
}

test("a message larger than the window goes beside a request that is never answered", async () => {
  const { node, listen } = await startDeaf({});
  listen();
  const never = node.call({ node: "here", name: "endless" }, 0, { timeoutMs: 60_000 });
  never.catch(() => {});
  const name = "length";
  expect(await node.call({ node: "here", name }, new Uint8Array(2 * MIB))).toBe(2 * MIB);
  expect(await node.call({ node: "here", name }, new Uint8Array(2 * MIB))).toBe(2 * MIB);
});

/** What bounds large messages on the way to another isolate. */
const BOUNDS = [
  { bound: "credit", options: {}, bytes: 0.6 * MIB },
  { bound: "slabs under way", options: { windowBytes: 64 * MIB }, bytes: 10 * MIB },
];

describe.each(BOUNDS)("a message that is refused for want of $bound", ({ options, bytes }) => {
  const large = new Uint8Array(bytes);

  test("is told of room when there is enough for it, and not before", async () => {
    const { node, listen } = await startDeaf(options);
    expect([node.send(SINK, large), node.send(SINK, large)]).toEqual([true, false]);
    let isRoom = false;
    const drained = node.drained({ to: "here" }).then(() => {
      isRoom = true;
    });
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(isRoom).toBe(false);
    listen();
    await drained;
    expect(node.send(SINK, large)).toBe(true);
  });

  test("as a call leaves the event loop its turns", async () => {
    const { node, listen } = await startDeaf(options);
    expect(node.send(SINK, large)).toBe(true);
    const answer = node.call({ node: "here", name: "ended behind" }, large);
    // Where the caller tried again without a pause, this would never run.
    setImmediate(listen);
    expect(await answer).not.toBe("timed-out");
  });

  test("does not hold back a small one that there is room for", async () => {
    const { node, listen } = await startDeaf(options);
    expect([node.send(SINK, large), node.send(SINK, large)]).toEqual([true, false]);
    expect(node.send(SINK, "small")).toBe(true);
    listen();
  });
});
