import { heavy, type Pid, release } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HolderScene } from "./holder-scene.ts";

const KIB = 1 << 10;
const MIB = 1 << 20;
/** What is written beside the bytes: the receiver's place. */
const PLACE_BYTES_MAX = 40;
const COUNTED = { strategy: "refCountedBinary" } as const;

let scene: HolderScene;
beforeEach(async () => {
  scene = await HolderScene.open();
});
afterEach(async () => scene.close());

interface Described {
  readonly length: number;
  readonly sum: number;
  readonly isShared: boolean;
}

const described = async (pid: Pid): Promise<Described[]> => scene.order(pid, "described");
const count = (bytes: Uint8Array): Uint8Array => scene.here.beam.messages.countBytes(bytes);

/** Sends bytes and resolves when a holder has them. */
async function send(pid: Pid, bytes: Uint8Array): Promise<{ copies: number; copiedBytes: number }> {
  const before = (await described(pid)).length;
  const receipt = await scene.here.beam.messages.sendOptimized(pid, bytes, COUNTED);
  expect(receipt).toMatchObject({ accepted: true, strategy: "refCountedBinary" });
  await expect.poll(async () => (await described(pid)).length).toBe(before + 1);
  return receipt;
}

describe.each([100, KIB, 16 * KIB, 256 * KIB, 4 * MIB])("counted bytes: %i of them", (length) => {
  const bytes = new Uint8Array(length).fill(3);
  const arrived = { length, sum: 3 * length, isShared: true };

  test("are copied once for all readers, and go with the last one", async () => {
    const readers = [await scene.inWorker("a"), await scene.inWorker("b")] as const;
    const copiedBefore = await scene.order<number>(readers[0], "copiedBytes");
    const counted = count(bytes);
    await scene.slabsAre(1);
    for (const reader of readers) {
      const { copies, copiedBytes } = await send(reader, counted);
      expect(copies).toBe(1);
      expect(copiedBytes).toBeLessThan(PLACE_BYTES_MAX);
      expect(await described(reader)).toEqual([arrived]);
    }
    await scene.slabsAre(1);
    const copiedThere = (await scene.order<number>(readers[0], "copiedBytes")) - copiedBefore;
    // The orders above, whatever the size.
    expect(copiedThere).toBeLessThan(64 * KIB);
    expect(await scene.order(readers[0], "release")).toEqual([true]);
    await scene.slabsAre(1);
    expect(release(counted)).toBe(true);
    await scene.slabsAre(1);
    expect(await described(readers[1])).toEqual([arrived]);
    expect(await scene.order(readers[1], "release")).toEqual([true]);
    await scene.slabsAre(0);
  });

  test("that were not counted before are copied by the send, once", async () => {
    const reader = await scene.inWorker("a");
    const { copies, copiedBytes } = await send(reader, bytes);
    expect(copies).toBe(2);
    expect(copiedBytes).toBeGreaterThanOrEqual(length);
    expect(copiedBytes).toBeLessThan(length + PLACE_BYTES_MAX);
    expect(await described(reader)).toEqual([arrived]);
    await scene.slabsAre(1);
    expect(await scene.order(reader, "release")).toEqual([true]);
    await scene.slabsAre(0);
  });

  test("are bytes of its own for another node", async () => {
    const reader = await scene.atNode();
    const { copies } = await send(reader, bytes);
    expect(copies).toBe(2);
    expect(await described(reader)).toEqual([{ ...arrived, isShared: false }]);
    await scene.slabsAre(0);
  });
});

describe("counted bytes are given back", () => {
  const bytes = new Uint8Array(MIB).fill(1);

  test("by a worker that is terminated", async () => {
    const reader = await scene.inWorker("a");
    const counted = count(bytes);
    await send(reader, counted);
    release(counted);
    await scene.slabsAre(1);
    await scene.terminate("a");
    await scene.slabsAre(0);
  });

  test("by a heavy process that is killed", async () => {
    const { processes, messages } = scene.here.beam;
    const module = new URL("./fixtures/heavy-holder.mjs", import.meta.url);
    const pid = await processes.start(heavy({ module, export: "keeper" }));
    const counted = count(bytes);
    await messages.sendOptimized(pid, counted, COUNTED);
    await expect.poll(async () => processes.call(pid, "how many")).toBe(1);
    release(counted);
    await scene.slabsAre(1);
    const ended = processes.exitOf(pid);
    processes.exit(pid, "kill");
    await ended;
    await scene.slabsAre(0);
  });

  test("at once by a process that ends before it handled them", async () => {
    const reader = await scene.inWorker("a");
    await scene.here.call({ node: "here", name: "gate a" }, 0);
    const { processes, messages } = scene.here.beam;
    await messages.sendOptimized(reader, bytes, COUNTED);
    const counted = count(bytes);
    for (let number = 0; number < 2; number++) {
      await messages.sendOptimized(reader, counted, COUNTED);
    }
    const waiting = async (): Promise<number | undefined> =>
      (await processes.processInfo(reader))?.mailbox.messages;
    await expect.poll(waiting).toBe(2);
    release(counted);
    await scene.slabsAre(2);
    processes.exit(reader, "kill");
    // What its handler works on is the handler's, which the gate keeps.
    await scene.slabsAre(1);
  });

  test("by the collector where a process let go of them and ended", async () => {
    const reader = await scene.inWorker("a");
    const witness = await scene.inWorker("a");
    const counted = count(bytes);
    await send(reader, counted);
    release(counted);
    await scene.slabsAre(1);
    scene.here.beam.processes.exit(reader, "kill");
    await expect
      .poll(async () => {
        await scene.order(witness, "collect");
        return scene.slabs;
      })
      .toBe(0);
  });

  test("by a process that is gone when they come", async () => {
    const reader = await scene.inWorker("a");
    const witness = await scene.inWorker("a");
    const { processes } = scene.here.beam;
    const ended = processes.exitOf(reader);
    processes.exit(reader, "kill");
    await ended;
    const counted = count(bytes);
    await scene.here.beam.messages.sendOptimized(reader, counted, COUNTED);
    release(counted);
    expect(await described(witness)).toEqual([]);
    await scene.slabsAre(0);
  });
});

test("what was received goes on to others without a copy", async () => {
  const [first, second] = [await scene.inWorker("a"), await scene.inWorker("b")];
  await send(first, new Uint8Array(MIB).fill(2));
  const receipt = await scene.order<{ copies: number; copiedBytes: number }>(first, "forward", {
    to: second,
  });
  expect(receipt.copiedBytes).toBeLessThan(PLACE_BYTES_MAX);
  await expect
    .poll(async () => described(second))
    .toEqual([{ length: MIB, sum: 2 * MIB, isShared: true }]);
});

test("`auto` reads counted bytes in place, and sends all others", async () => {
  const reader = await scene.inWorker("a");
  const { messages } = scene.here.beam;
  const bytes = new Uint8Array(256 * KIB);
  const counted = await messages.sendOptimized(reader, count(bytes));
  expect(counted).toMatchObject({ strategy: "refCountedBinary", copies: 1 });
  const plain = await messages.sendOptimized(reader, bytes);
  expect(plain).toMatchObject({ strategy: "direct", copies: 2 });
  const small = await messages.sendOptimized(reader, count(new Uint8Array(100)));
  expect(small).toMatchObject({ strategy: "direct" });
});

test("an isolate holds so many counted bytes and no more", async () => {
  const held = Array.from({ length: 4 }, () => count(new Uint8Array(16 * MIB)));
  const refused = expect.objectContaining({ code: "binaries_full" });
  expect(() => count(new Uint8Array(1))).toThrow(refused);
  for (const bytes of held) expect(release(bytes)).toBe(true);
  expect(count(new Uint8Array(1)).length).toBe(1);
});

test("bytes that were released are not sent, nor counted again for nothing", async () => {
  const reader = await scene.inWorker("a");
  const counted = count(new Uint8Array(MIB));
  expect(count(counted)).toBe(counted);
  release(counted);
  await expect(
    scene.here.beam.messages.sendOptimized(reader, { not: "bytes" }, COUNTED),
  ).rejects.toMatchObject({ code: "invalid_options" });
});
