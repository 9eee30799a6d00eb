import { randomInt } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Foundation, type FoundationNode, type MessageContext } from "../../dist/ts/index.js";

const CHANNELS = { control: { priority: 0 }, bulk: { priority: 2 }, latest: { monotonic: true } };
const MESSAGES = 20_000;
const DEADLINE_MS = 60_000;

let home: FoundationNode;
let peer: FoundationNode;

beforeEach(async () => {
  home = await Foundation.start({ name: "home", channels: CHANNELS });
  peer = await Foundation.start({ name: "peer", channels: CHANNELS, seeds: [home.address] });
  await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
});

afterEach(async () => {
  await Promise.all([home.leave({ drainMs: 100 }), peer.leave({ drainMs: 100 })]);
});

/** A small message that says its number: bytes, or a value. */
function messageOf(number: number, isBytes: boolean, length: number): unknown {
  if (!isBytes) return { number };
  const bytes = new Uint8Array(4 + length);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

function numberOf(message: unknown): number {
  if (!(message instanceof Uint8Array)) return (message as { number: number }).number;
  return new DataView(message.buffer, message.byteOffset).getUint32(0, true);
}

describe.each(["copy", "view"] as const)("bursts of one isolate (bytes: %s)", (bytes) => {
  test("that change channel, receiver and kind keep the order of each", async () => {
    const sent = new Map<string, number[]>();
    const heard = new Map<string, number[]>();
    const note = (notes: typeof sent, key: string, number: number): void => {
      const numbers = notes.get(key) ?? [];
      notes.set(key, numbers);
      numbers.push(number);
    };
    let count = 0;
    const names = ["left", "right"];
    for (const name of names) {
      const take = (message: unknown, context: MessageContext): void => {
        note(heard, `${name} on ${context.channel}`, numberOf(message));
        count++;
      };
      home.handle(name, take, { bytes });
    }
    const channels = [undefined, "default", "control", "bulk"];
    let [channel, name] = [channels[0], "left"];
    for (let number = 0; number < MESSAGES; number++) {
      // Runs, so that there are bundles, which every change interrupts.
      if (randomInt(8) === 0) channel = channels[randomInt(channels.length)];
      if (randomInt(20) === 0) name = names[randomInt(names.length)] as string;
      const length = randomInt(50) === 0 ? randomInt(5_000) : randomInt(80);
      const message = messageOf(number, randomInt(10) > 0, length);
      const key = randomInt(40) === 0 ? { key: "key" } : {};
      const options = channel === undefined ? key : { channel, ...key };
      const hasOptions = randomInt(2) === 0 || channel !== undefined || "key" in options;
      const given = hasOptions ? options : undefined;
      while (!peer.send({ node: "home", name }, message, given)) {
        await peer.drained({ to: "home", ...(channel === undefined ? {} : { channel }) });
      }
      note(sent, `${name} on ${channel ?? "default"}`, number);
      if (randomInt(500) === 0) await turn();
    }
    const endMs = performance.now() + DEADLINE_MS;
    while (count < MESSAGES && performance.now() < endMs) await turn();
    expect([...heard.keys()].sort()).toEqual([...sent.keys()].sort());
    for (const [key, numbers] of sent) expect(heard.get(key), key).toEqual(numbers);
  });
});

test("a burst on a monotonic channel is not bundled: a newer one may replace each", async () => {
  const heard: number[] = [];
  home.handle("latest", (message) => void heard.push(numberOf(message)));
  for (let number = 0; number < 1_000; number++) {
    peer.send({ node: "home", name: "latest" }, messageOf(number, true, 60), { channel: "latest" });
  }
  const endMs = performance.now() + DEADLINE_MS;
  while (heard.at(-1) !== 999 && performance.now() < endMs) await turn();
  expect(heard.at(-1)).toBe(999);
  expect(heard).toEqual([...heard].sort((a, b) => a - b));
});

test("a bundle larger than what the receiver's rings carry arrives whole", async () => {
  const small = await Foundation.start({
    name: "small",
    ringBytes: 16 << 10,
    seeds: [home.address],
  });
  await home.awaitReady({ minimumMembers: 3 });
  const heard: number[] = [];
  small.handle("sink", (message) => void heard.push(numberOf(message)));
  const count = 5_000;
  for (let number = 0; number < count; number++) {
    while (!home.send({ node: "small", name: "sink" }, messageOf(number, true, 60))) {
      await home.drained({ to: "small" });
    }
  }
  const endMs = performance.now() + DEADLINE_MS;
  while (heard.length < count && performance.now() < endMs) await turn();
  expect(heard).toEqual(Array.from({ length: count }, (_, number) => number));
  expect(small.metrics().slabs["live"]).toBe(0);
  await small.leave({ drainMs: 100 });
});
