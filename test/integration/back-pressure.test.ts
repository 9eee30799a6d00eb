import type { FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, sendAll } from "./local-nodes.ts";
import { NodeProcesses } from "./node-process.ts";

const nodes = new LocalNodes();
const processes = new NodeProcesses();
afterEach(async () => {
  await processes.killAll();
  await nodes.leaveAll();
});

const MIB = 1 << 20;

describe("a slow consumer", () => {
  test("bounds the memory of both ends, and still gets everything in order", async () => {
    const receiver = await processes.start("receiver");
    const sender = await processes.start("sender", { seeds: [receiver.address] });
    await sender.ready(2);
    await receiver.handle("sink", "slow", 1);
    const messages = 4_000;
    const bytes = 64 << 10; // 250 MiB in all
    const before = [await receiver.memory(), await sender.memory()];
    const to = { node: "receiver", name: "sink" };
    const { refusals } = await sender.flood({ to, messages, bytes });
    expect(refusals).toBeGreaterThan(0);
    const arrived = async (): Promise<number> => (await receiver.seen("sink")).messages;
    await expect.poll(arrived, { timeout: 60_000, interval: 100 }).toBe(messages);
    expect(await receiver.seen("sink")).toEqual({
      messages,
      bytes: messages * bytes,
      misordered: 0,
    });
    const after = [await receiver.memory(), await sender.memory()];
    for (const [index, { peakBytes }] of after.entries()) {
      expect((peakBytes - before[index]!.rssBytes) / MIB).toBeLessThan(150);
    }
    const { links, dropped } = await sender.metrics();
    expect(links["overflowed"]).toBe(0);
    expect(dropped).toEqual({});
  });
});

describe("a handler that never settles", () => {
  const options = { channels: { other: {} } };
  const stuck = { node: "receiver", name: "stuck" };

  /** Sends until one message is refused; answers how many were not. */
  async function fill(sender: FoundationNode, bytes: number): Promise<number> {
    const message = new Uint8Array(bytes);
    let accepted = 0;
    for (;;) {
      while (sender.send(stuck, message)) accepted++;
      // The ring may have been full for a moment; the queue behind it is full for good.
      const wait = sender.drained({ to: "receiver", timeoutMs: 500 });
      if (!(await wait.then(() => true, isTimeout))) return accepted;
    }
  }

  function isTimeout(error: unknown): boolean {
    if ((error as { code?: string }).code === "timeout") return false;
    throw error;
  }

  test("stops its sender by credit, and other channels go on", async () => {
    const receiver = await processes.start("receiver", options);
    await receiver.handle("stuck", "stuck");
    await receiver.handle("echo", "echo");
    await receiver.startWorker();
    const sender = await nodes.start({ ...options, name: "sender", seeds: [receiver.address] });
    await sender.awaitReady({ minimumMembers: 2 });
    const bytes = 64 << 10;

    const accepted = (await fill(sender, bytes)) * bytes;
    // Window, queue up to its high-water mark, ring, and what the system held at that moment.
    expect(accepted).toBeLessThan(16 * MIB);
    expect(sender.send(stuck, new Uint8Array(1))).toBe(false);
    const seen = await receiver.seen("stuck");
    // One window of the name until its isolate was told, and one of the isolate.
    expect(seen.bytes).toBeLessThanOrEqual(2 * MIB);

    const worker = { node: "receiver", name: "worker-echo" };
    for (const to of [worker, { node: "receiver", name: "echo" }]) {
      const answer = await sender.call(to, "other channel", { channel: "other" });
      expect(answer).toBe("other channel");
    }
    expect(await receiver.seen("stuck")).toEqual(seen);
  });

  test("leaves the channel open to other isolates until its queue is full", async () => {
    const receiver = await processes.start("receiver");
    await receiver.handle("stuck", "stuck");
    await receiver.startWorker();
    const sender = await nodes.start({ name: "sender", seeds: [receiver.address] });
    await sender.awaitReady({ minimumMembers: 2 });
    // More than the window, less than the high-water mark.
    await sendAll(sender, stuck, Array(48).fill(new Uint8Array(64 << 10)));
    const taken = async (): Promise<number> => (await receiver.seen("stuck")).messages;
    await expect.poll(taken).toBeGreaterThanOrEqual(15);
    // The name is new to the link: nothing sent to it may pay from the account that is used up.
    const worker = { node: "receiver", name: "worker-echo" };
    expect(await sender.call(worker, "other isolate")).toBe("other isolate");
    expect(sender.metrics().peers[0]!.queuedBytes).toBeGreaterThan(MIB);
  });

  test("lets go of its sender when the receiver is killed", async () => {
    const receiver = await processes.start("receiver");
    await receiver.handle("stuck", "stuck");
    const sender = await nodes.start({ name: "sender", seeds: [receiver.address] });
    await sender.awaitReady({ minimumMembers: 2 });
    await fill(sender, 64 << 10);
    const waiting = sender.drained({ to: "receiver", timeoutMs: 60_000 });
    const rejected = expect(waiting).rejects.toMatchObject({ code: "noconnection" });
    await receiver.kill();
    await rejected;
    const again = await processes.start("receiver", { seeds: [sender.address] });
    await sender.awaitReady({ minimumMembers: 2 });
    await again.handle("echo", "echo");
    expect(await sender.call({ node: "receiver", name: "echo" }, "anew")).toBe("anew");
  });
});

describe("two nodes that call each other with full windows", () => {
  const window = { windowBytes: 64 << 10, windowBytesMax: 64 << 10, highWaterBytes: MIB };
  const options = { ...window, lowWaterBytes: 256 << 10, channels: { inner: {} } };
  const message = new Uint8Array(8 << 10);

  /** Each outer call makes an inner one back to its caller before it is answered. */
  async function callEachOther(
    innerChannel: string,
    count: number,
    timeoutMs: number,
  ): Promise<{ left: FoundationNode; answers: PromiseSettledResult<unknown>[] }> {
    const [left, right] = await nodes.startCluster(["left", "right"], options);
    for (const node of [left!, right!]) {
      node.handle("inner", (bytes: Uint8Array) => bytes.length);
      node.handle("outer", async (bytes: Uint8Array, { from }) => {
        const inner = { node: from, name: "inner" };
        return node.call(inner, bytes, { channel: innerChannel, timeoutMs });
      });
    }
    const outer = (node: FoundationNode, peer: FoundationNode): Promise<unknown>[] =>
      Array.from({ length: count }, async () =>
        node.call({ node: peer.name, name: "outer" }, message, { timeoutMs }),
      );
    const calls = [...outer(left!, right!), ...outer(right!, left!)];
    return { left: left!, answers: await Promise.allSettled(calls) };
  }

  test("finish when the calls back take another channel", async () => {
    const { answers } = await callEachOther("inner", 500, 20_000);
    const answered = { status: "fulfilled", value: message.length };
    expect(answers).toEqual(Array(1_000).fill(answered));
  });

  test("on one channel for both are held up no longer than the calls' own time", async () => {
    const { left, answers } = await callEachOther("default", 16, 1_000);
    // Eight calls fill a window. Calls in hand hold the credit that calls back would need, so some
    // of them may end by their time limit: that is what it is for.
    const codes = answers.map((it) => (it.status === "rejected" ? it.reason.code : "answered"));
    expect(["answered", "timeout", "handler_failed"]).toEqual(expect.arrayContaining(codes));
    // Whatever became of them, their credit comes back.
    const to = { node: "right", name: "outer" };
    const next = async (): Promise<unknown> => left.call(to, message).catch(() => "not yet");
    await expect.poll(next, { timeout: 20_000 }).toBe(message.length);
  });
});
