import { createHash } from "node:crypto";
import { type FoundationNode, release } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, sendAll } from "./local-nodes.ts";
import { SeededRandom } from "./seeded-random.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

const MIB = 1 << 20;

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

describe("the largest message", () => {
  test("of 16 MiB goes both ways, and one byte more is refused where it is sent", async () => {
    const [first, second] = await nodes.startCluster(["first", "second"]);
    second!.handle("echo", (message) => message);
    second!.handle("size", (message: Uint8Array) => message.length);
    second!.handle("make", (bytes: number) => new Uint8Array(bytes));
    const largest = new SeededRandom(16).bytes(16 * MIB);
    const echo = { node: "second", name: "echo" };
    const answer = (await first!.call(echo, largest, { timeoutMs: 30_000 })) as Uint8Array;
    expect(answer.length).toBe(largest.length);
    expect(digest(answer)).toBe(digest(largest));
    release(answer);
    const tooLarge = new Uint8Array(16 * MIB + 1);
    expect(() => first!.send(echo, tooLarge)).toThrow(
      expect.objectContaining({ code: "message_too_large" }),
    );
    await expect(first!.call(echo, tooLarge)).rejects.toMatchObject({ code: "message_too_large" });
    // An answer that is too large is the answerer's failure, told to the caller at once.
    const make = first!.call({ node: "second", name: "make" }, tooLarge.length);
    await expect(make).rejects.toMatchObject({ code: "handler_failed" });
    expect(await first!.call({ node: "second", name: "size" }, "still here")).toBe(10);
  });

  test("may be made smaller, and the limit holds for whoever sends", async () => {
    const limit = { messageBytesMax: MIB };
    const [first, second] = await nodes.startCluster(["first", "second"], limit);
    second!.handle("size", (message: Uint8Array) => message.length);
    const to = { node: "second", name: "size" };
    expect(await first!.call(to, new Uint8Array(MIB))).toBe(MIB);
    expect(() => first!.send(to, new Uint8Array(MIB + 1))).toThrow(
      expect.objectContaining({ code: "message_too_large" }),
    );
  });
});

test("64 senders interleave messages of 4 MiB to one receiver and all arrive intact", async () => {
  const senderNames = Array.from({ length: 64 }, (_, index) => `sender-${index}`);
  // Room for sixteen of the messages at once: the others have to wait for their turn.
  const options = { receiveBytesMax: 64 * MIB };
  const receiver = await nodes.start({ ...options, name: "receiver" });
  const senders: FoundationNode[] = [];
  for (const name of senderNames) {
    const sender = await nodes.start({ ...options, name });
    await sender.join(receiver.address);
    senders.push(sender);
  }
  const rounds = 2;
  const received = new Map<string, string[]>();
  const isComplete = new Promise<void>((resolve) => {
    let messages = 0;
    receiver.handle("large", (message: Uint8Array, { from }) => {
      received.set(from, [...(received.get(from) ?? []), digest(message)]);
      release(message);
      if (++messages === rounds * senders.length) resolve();
    });
  });
  const body = (index: number, round: number): Uint8Array =>
    new SeededRandom(1 + index * rounds + round).bytes(4 * MIB);
  await Promise.all(
    senders.map(async (sender, index) => {
      function* bodies(): Generator<Uint8Array> {
        for (let round = 0; round < rounds; round++) yield body(index, round);
      }
      return sendAll(sender, { node: "receiver", name: "large" }, bodies());
    }),
  );
  await isComplete;
  for (const [index, name] of senderNames.entries()) {
    const expected = Array.from({ length: rounds }, (_, round) => digest(body(index, round)));
    expect(received.get(name), name).toEqual(expected);
  }
  const { links, slabs } = receiver.metrics();
  expect(links).toMatchObject({ exhausted: 0, reassemblyTimeouts: 0, orphanChunks: 0 });
  expect(slabs).toMatchObject({ doubleReleases: 0, staleUses: 0 });
}, 120_000);
