import { afterEach, expect, test } from "vitest";
import { LocalNodes, sendAll } from "./local-nodes.ts";
import { NodeProcesses } from "./node-process.ts";

const nodes = new LocalNodes();
const processes = new NodeProcesses();
afterEach(async () => {
  await processes.killAll();
  await nodes.leaveAll();
});

test("every urgent call is answered while bulk fills the link, and no bulk is lost", async () => {
  const channels = { urgent: { priority: 0 }, bulk: { priority: 9 } };
  const receiver = await processes.start("receiver", { channels });
  await receiver.handle("sink", "slow", 0);
  await receiver.handle("echo", "echo");
  const sender = await nodes.start({ name: "sender", channels, seeds: [receiver.address] });
  await sender.awaitReady({ minimumMembers: 2 });
  const messages = 2_000;
  function* bulk(): Generator<Uint8Array> {
    for (let number = 0; number < messages; number++) {
      const message = new Uint8Array(64 << 10);
      new DataView(message.buffer).setUint32(0, number, true);
      yield message;
    }
  }
  let isLoading = true;
  const load = sendAll(sender, { node: "receiver", name: "sink" }, bulk(), "bulk").finally(() => {
    isLoading = false;
  });
  let calls = 0;
  while (isLoading) {
    const options = { channel: "urgent", timeoutMs: 10_000 };
    expect(await sender.call({ node: "receiver", name: "echo" }, calls, options)).toBe(calls);
    calls++;
  }
  await load;
  expect(calls).toBeGreaterThan(10);
  const arrived = async (): Promise<number> => (await receiver.seen("sink")).messages;
  await expect.poll(arrived, { timeout: 30_000 }).toBe(messages);
  expect((await receiver.seen("sink")).misordered).toBe(0);
});
