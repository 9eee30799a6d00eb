import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, sendAll } from "./local-nodes.ts";

const MIRROR = fileURLToPath(new URL("./fixtures/mirror.mjs", import.meta.url));

const nodes = new LocalNodes();
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
  await nodes.leaveAll();
});

/** Starts what sends values back; answers the name of its node. */
async function startMirror(kind: "process" | "isolate", origin: FoundationNode): Promise<string> {
  if (kind === "process") {
    const child = fork(MIRROR, [origin.address], { stdio: "inherit" });
    endings.push(async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    await once(child, "message");
    await origin.awaitReady({ minimumMembers: 2 });
    return "mirror";
  }
  const worker = new Worker(MIRROR);
  endings.push(async () => worker.terminate());
  await once(worker, "message");
  return "origin";
}

/** Calls until the names over there are known here. */
async function callWhenKnown(node: FoundationNode, to: string, value: unknown): Promise<unknown> {
  for (;;) {
    try {
      return await node.call({ node: to, name: "echo" }, value);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "noproc") throw thrown;
    }
  }
}

/** Values of some common shapes, of ever new ones, and of every kind there is. */
function* values(count: number): Generator<unknown> {
  for (let id = 0; id < count; id++) {
    switch (id % 7) {
      case 0:
        yield { kind: "order", id, lines: [{ price: id / 4 }, { price: -id, note: undefined }] };
        break;
      case 1:
        yield { [`key-${id}`]: { [`inner-${id % 400}`]: id } };
        break;
      case 2:
        yield [new Map([[{ id }, new Set([id, `${id}`])]]), new Date(id), 2n ** 70n, -0];
        break;
      case 3:
        yield { id, bytes: new Uint8Array(id % 50), floats: new Float64Array([id / 3]) };
        break;
      case 4:
        yield id % 14 === 4 ? `text ${"é".repeat(id % 300)}` : id * 1.5;
        break;
      case 5:
        yield { id, list: Array.from({ length: id % 600 }, (_, at) => ({ at, id })) };
        break;
      default:
        yield { id, name: `entity-${id}`, x: id / 2, live: id % 2 === 0 };
    }
  }
}

describe.each<"process" | "isolate">(["process", "isolate"])("values to another %s", (kind) => {
  test("come back in order and as they were", async () => {
    const origin = await nodes.start({ name: "origin", cluster: "values" });
    const count = 6_000;
    const received: unknown[] = [];
    const isComplete = new Promise<void>((resolve) => {
      origin.handle("back", (value) => {
        if (received.push(value) === count) resolve();
      });
    });
    const to = await startMirror(kind, origin);
    const first = { keys: ["a", "b"], id: 1 };
    expect(await callWhenKnown(origin, to, first)).toEqual(first);
    await sendAll(origin, { node: to, name: "mirror" }, values(count));
    await isComplete;
    const sent = [...values(count)];
    for (const [index, value] of received.entries()) expect(value).toEqual(sent[index]);
  });

  test("come back from calls, and errors with their message", async () => {
    const origin = await nodes.start({ name: "origin", cluster: "values" });
    const to = await startMirror(kind, origin);
    await callWhenKnown(origin, to, 1);
    const sent = [...values(200)];
    const calls = sent.map(async (value) => origin.call({ node: to, name: "echo" }, value));
    expect(await Promise.all(calls)).toEqual(sent);
    const failed = origin.call({ node: to, name: "fail" }, { keys: [1, 2, 3] });
    await expect(failed).rejects.toMatchObject({
      code: "handler_failed",
      message: expect.stringContaining("no room for 3"),
    });
  });
});

test("values reach all members of a broadcast", async () => {
  const [sender, ...others] = await nodes.startCluster(["sender", "left", "right"]);
  const count = 500;
  const received = others.map(
    async (node) =>
      new Promise<unknown[]>((resolve) => {
        const taken: unknown[] = [];
        node.handle("news", (value) => {
          if (taken.push(value) === count) resolve(taken);
        });
      }),
  );
  const sent = [...values(count)];
  for (const value of sent) {
    expect(sender!.broadcast("news", value).refused).toEqual([]);
  }
  for (const taken of await Promise.all(received)) expect(taken).toEqual(sent);
});

test("a function inside of a message is refused at the sender", async () => {
  const [sender] = await nodes.startCluster(["sender", "receiver"]);
  const to = { node: "receiver", name: "anything" };
  expect(() => sender!.send(to, { deep: [{ run: () => 1 }] })).toThrow(
    expect.objectContaining({ code: "unencodable" }),
  );
});
