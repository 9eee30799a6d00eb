import type { FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { DATA_HEADER_BYTES, FrameDamager } from "./data-frames.ts";
import { allReady, LocalNodes, nextEventOf } from "./local-nodes.ts";
import { printedRandom } from "./seeded-random.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const nodes = new LocalNodes();
const proxies: TcpProxy[] = [];
afterEach(async () => {
  await nodes.leaveAll();
  await Promise.all(proxies.splice(0).map(async (proxy) => proxy.close()));
});

/** Two nodes whose every connection, whoever dials it, passes the damager. */
async function damagedPair(): Promise<{
  sender: FoundationNode;
  receiver: FoundationNode;
  damager: FrameDamager;
}> {
  const damager = new FrameDamager();
  const toReceiver = await TcpProxy.listen(damager.relay(true));
  const toSender = await TcpProxy.listen(damager.relay(false));
  proxies.push(toReceiver, toSender);
  const listen = async (name: string, proxy: TcpProxy): Promise<FoundationNode> => {
    // Which port is free is known to the system alone: ask for one, then take it again.
    const probe = await nodes.start({ name: `${name}-probe` });
    proxy.forwardTo(probe.address);
    await probe.leave();
    return nodes.start({ name, listen: probe.address, advertise: proxy.address });
  };
  const receiver = await listen("receiver", toReceiver);
  const sender = await listen("sender", toSender);
  await sender.join(toReceiver.address);
  await allReady([sender, receiver], 2);
  return { sender, receiver, damager };
}

const SINK = { node: "receiver", name: "sink" };

/** A message says its number in every byte after the first four, which say it in full. */
function numbered(number: number, bytes: number): Uint8Array {
  const message = new Uint8Array(bytes).fill(number);
  new DataView(message.buffer).setUint32(0, number, true);
  return message;
}

function numberOf(message: Uint8Array): number {
  const number = new DataView(message.buffer, message.byteOffset).getUint32(0, true);
  const isIntact = Buffer.compare(message, numbered(number, message.length)) === 0;
  return isIntact ? number : Number.NaN;
}

describe("one bit that flips on the way", () => {
  test("in a payload costs that message alone, and is counted", async () => {
    const random = printedRandom("bits flipped in payloads");
    const { sender, receiver, damager } = await damagedPair();
    const received: number[] = [];
    const lost: number[] = [];
    const downs: unknown[] = [];
    receiver.on("down", (event) => downs.push(event));
    receiver.handle("sink", (message: Uint8Array) => received.push(numberOf(message)));
    receiver.handle("fence", () => received.length);
    for (let number = 0; number < 200; number++) {
      if (number % 3 === 0) {
        lost.push(number);
        damager.next = (frame) => {
          const at = random.between(DATA_HEADER_BYTES, frame.length - 1);
          frame[at]! ^= 1 << random.below(8);
        };
      }
      // The largest goes in three chunks, so that a message may lose its first part alone.
      const bytes = number % 5 === 0 ? 80_000 : random.between(4, 9_000);
      expect(sender.send(SINK, numbered(number, bytes))).toBe(true);
      // Each has arrived, or not, before the next one is armed.
      await sender.call({ node: "receiver", name: "fence" }, null);
    }
    const expected = Array.from({ length: 200 }, (_, number) => number);
    expect(received).toEqual(expected.filter((number) => !lost.includes(number)));
    const { links } = receiver.metrics();
    expect(links["payloadCrcFailures"]).toBe(lost.length);
    expect(downs).toEqual([]);
  });

  test("in a header ends the link, which comes back; no wrong byte is delivered", async () => {
    const random = printedRandom("bits flipped in headers");
    const { sender, receiver, damager } = await damagedPair();
    const received: number[] = [];
    const reasons = new Set<string>();
    receiver.on("down", ({ reason }) => reasons.add(reason));
    receiver.handle("sink", (message: Uint8Array) => received.push(numberOf(message)));
    receiver.handle("fence", () => received.length);
    // Each byte that every frame begins with, and some of the others.
    const others = Array.from({ length: 8 }, () => random.between(16, DATA_HEADER_BYTES - 1));
    const places = [...Array(16).keys(), ...others];
    for (const at of places) {
      damager.next = (frame) => {
        frame[at]! ^= 1 << random.below(8);
      };
      const ends = [
        nextEventOf(receiver, "down", "sender"),
        nextEventOf(sender, "down", "receiver"),
      ];
      expect(sender.send(SINK, numbered(at, 500)), `header byte ${at}`).toBe(true);
      await Promise.all(ends);
      await allReady([sender, receiver], 2);
      await sender.call({ node: "receiver", name: "fence" }, null);
    }
    expect(received).toEqual([]);
    expect(receiver.metrics().linksLost).toBeGreaterThanOrEqual(places.length);
    expect(reasons).toContain("header_crc");
    expect(sender.send(SINK, numbered(1_000, 500))).toBe(true);
    await sender.call({ node: "receiver", name: "fence" }, null);
    expect(received).toEqual([1_000]);
  });
});
