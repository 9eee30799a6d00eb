import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, sendAll } from "./local-nodes.ts";
import { printedRandom } from "./seeded-random.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

const CHANNELS = {
  narrow: { lanes: 1 },
  wide: { lanes: 4 },
  latest: { monotonic: true },
};

describe("messages of one sender to one receiver on one channel", () => {
  test.each(["narrow", "wide"])("keep their order, whatever their sizes: %s", async (channel) => {
    const random = printedRandom(`sizes on the ${channel} channel`);
    const options = { channels: CHANNELS };
    const [sender, receiver] = await nodes.startCluster(["sender", "receiver"], options);
    const rounds = 300;
    const names = ["one", "two", "three", "four", "five"];
    const received = new Map<string, number[]>(names.map((name) => [name, []]));
    let missing = rounds * names.length;
    const isComplete = new Promise<void>((resolve) => {
      for (const name of names) {
        receiver!.handle(name, (message: Uint8Array) => {
          // The numbers of a name come without a gap; an empty message is its own number.
          const numbers = received.get(name)!;
          const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
          numbers.push(message.length < 4 ? numbers.length : view.getUint32(0, true));
          if (--missing === 0) resolve();
        });
      }
    });
    const flows = names.map(async (name) => {
      function* messages(): Generator<Uint8Array> {
        for (let number = 0; number < rounds; number++) {
          const kind = random.below(10);
          const bytes = kind < 6 ? random.between(0, 300) : random.between(0, 200 << 10);
          const message = new Uint8Array(bytes);
          if (bytes >= 4) new DataView(message.buffer).setUint32(0, number, true);
          yield message;
        }
      }
      await sendAll(sender!, { node: "receiver", name }, messages(), channel);
    });
    await Promise.all(flows);
    await isComplete;
    const expected = Array.from({ length: rounds }, (_, number) => number);
    for (const name of names) expect(received.get(name), name).toEqual(expected);
    const [peer] = sender!.metrics().peers;
    if (channel === "wide") expect(peer!.lanes).toBeGreaterThan(1);
    else expect(peer!.lanes).toBe(1);
  });
});

test("on a monotonic channel the latest of a key wins while the receiver is behind", async () => {
  const options = { channels: CHANNELS, windowBytes: 16 << 10, windowBytesMax: 16 << 10 };
  const [sender, receiver] = await nodes.startCluster(["sender", "receiver"], options);
  const keys = ["left", "right"];
  const received: { key: string; number: number }[] = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const last = 50_000;
  const isComplete = new Promise<void>((resolve) => {
    const ended = new Set<string>();
    receiver!.handle("position", async (message: { key: string; number: number }) => {
      received.push(message);
      if (message.number === last) ended.add(message.key);
      if (ended.size === keys.length) resolve();
      await gate; // nothing settles before everything was sent
    });
  });
  const to = { node: "receiver", name: "position" };
  for (let number = 0; number <= last; number++) {
    for (const key of keys) {
      while (!sender!.send(to, { key, number }, { channel: "latest", key })) {
        await sender!.drained({ to: "receiver", channel: "latest", timeoutMs: 10_000 });
      }
    }
  }
  // Everything is queued or superseded: the ring is empty once this answer is back.
  receiver!.handle("fence", () => null);
  await sender!.call({ node: "receiver", name: "fence" }, null);
  open();
  await isComplete;
  for (const key of keys) {
    const numbers = received.filter((it) => it.key === key).map((it) => it.number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.at(-1)).toBe(last);
  }
  expect(received.length).toBeLessThan(last);
  const { superseded, overflowed } = sender!.metrics().links;
  expect(overflowed).toBe(0);
  expect(superseded).toBe(keys.length * (last + 1) - received.length);
});
