import type { Socket } from "node:net";
import type { FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, nextEvent, nextEventOf } from "./local-nodes.ts";
import { type Load, type NodeProcess, NodeProcesses } from "./node-process.ts";
import { type Relay, TcpProxy } from "./tcp-proxy.ts";

const nodes = new LocalNodes();
const processes = new NodeProcesses();
afterEach(async () => {
  await processes.killAll();
  await nodes.leaveAll();
});

/** A few races in each test: between rings, links and sockets, some are won by chance. */
const ROUNDS = 12;
const TO = { node: "receiver", name: "sink" };

/** Joins, sends and leaves at once; all that was sent has to be there when `left` is reported. */
async function sendAndLeave(
  receiver: FoundationNode,
  sender: NodeProcess,
  seed: string,
  load: Pick<Load, "messages" | "bytes">,
): Promise<void> {
  let received = 0;
  const stop = receiver.handle("sink", async () => {
    received++;
    await new Promise(setImmediate); // so that credit is on its way back until the end
  });
  await sender.start({ seeds: [seed] });
  await Promise.all([sender.ready(2), receiver.awaitReady({ minimumMembers: 2 })]);
  const down = nextEventOf(receiver, "down", "sender", 30_000);
  expect(await sender.floodAndLeave({ ...load, to: TO }, 20_000)).toEqual({ drained: true });
  expect(await down).toEqual({ name: "sender", reason: "left" });
  expect(received).toBe(load.messages);
  stop();
}

/** Takes what the dialler sends much later than it sends it. */
const slowly: Relay = (from: Socket, to: Socket, isFromDialler: boolean) => {
  from.on("data", (bytes: Buffer) => {
    to.write(bytes);
    if (!isFromDialler) return;
    from.pause();
    setTimeout(() => from.resume(), 3);
  });
};

describe("all that was accepted before a node leaves arrives", () => {
  test.each([
    ["small", 5_000, 100],
    ["middling", 300, 60_000],
    ["large", 30, 1_000_000],
  ])("when it leaves at once after sending %s messages", async (_, messages, bytes) => {
    const receiver = await nodes.start({ name: "receiver" });
    const sender = processes.prepare("sender");
    for (let round = 0; round < ROUNDS; round++) {
      await sendAndLeave(receiver, sender, receiver.address, { messages, bytes });
    }
  });

  test("when the way is slow and much of it is still in the system's hands", async () => {
    const receiver = await nodes.start({ name: "receiver" });
    const sender = processes.prepare("sender");
    const proxy = await TcpProxy.listen(slowly);
    try {
      proxy.forwardTo(receiver.address);
      for (let round = 0; round < ROUNDS; round++) {
        const load = { messages: 3_000, bytes: 3_000 };
        await sendAndLeave(receiver, sender, proxy.address, load);
      }
    } finally {
      await proxy.close();
    }
  });
});

test("a node leaves within its time although a peer takes nothing any more", async () => {
  const [receiver, sender] = await nodes.startCluster(["receiver", "sender"]);
  receiver!.handle("sink", () => new Promise(() => {}));
  const message = new Uint8Array(60_000);
  while (sender!.send(TO, message));
  const left = nextEvent(sender!, "left");
  await sender!.leave({ drainMs: 300 });
  expect(await left).toEqual({ drained: false });
});
