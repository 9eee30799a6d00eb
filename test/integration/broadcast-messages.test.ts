import type { Pid } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HolderScene } from "./holder-scene.ts";

const KIB = 1 << 10;

let scene: HolderScene;
let broadcast: HolderScene["here"]["beam"]["messages"]["broadcastOptimized"];
beforeEach(async () => {
  scene = await HolderScene.open({ channels: { urgent: { priority: 0 } } });
  const { messages } = scene.here.beam;
  broadcast = messages.broadcastOptimized.bind(messages);
});
afterEach(async () => scene.close());

const held = async (pid: Pid): Promise<unknown[]> => scene.order(pid, "held");

async function allHold(pids: readonly Pid[], messages: readonly unknown[]): Promise<void> {
  for (const pid of pids) await expect.poll(async () => held(pid)).toEqual(messages);
}

/** Two processes in this isolate, two in each of two others, two at another node. */
async function everywhere(): Promise<Pid[]> {
  const pids: Pid[] = [];
  for (let round = 0; round < 2; round++) {
    pids.push(await scene.holder("in this isolate"));
    pids.push(await scene.inWorker("a"), await scene.inWorker("b"), await scene.atNode());
  }
  return pids;
}

describe("one message for many processes", () => {
  /** Encoded; copied once more to where it stays; then each transfer's own. */
  const cases = [
    // To each other isolate: encoded around it, and brought into a bundle.
    { size: "small", bytes: 100, copies: 2 + 3 * 2, wholeCopies: 2 + 3 * 2 },
    // To those of this node: its receivers' places alone.
    { size: "large", bytes: 200 * KIB, copies: 2 + 2 + 2, wholeCopies: 2 + 2 },
  ];

  test.each(cases)("is encoded once, and copied as counted: a $size one", async (each) => {
    const pids = await everywhere();
    const message = { text: "x".repeat(each.bytes), list: [1, 2, 3] };
    const report = broadcast(pids, message);
    expect(report).toMatchObject({ accepted: 8, refused: [], encodings: 1, transfers: 3 });
    expect(report.copies).toBe(each.copies);
    const perCopy = report.copiedBytes / each.wholeCopies;
    expect(perCopy).toBeGreaterThan(each.bytes);
    expect(perCopy).toBeLessThan(each.bytes + 100);
    await allHold(pids, [message]);
    await scene.slabsAre(0);
  });

  test("that is bytes is never encoded, and read in place by the node's isolates", async () => {
    const pids = await everywhere();
    const bytes = new Uint8Array(200 * KIB).fill(1);
    const report = broadcast(pids, bytes);
    expect(report).toMatchObject({ accepted: 8, encodings: 0, transfers: 3 });
    // Once into shared memory, twice to the other node, and two times the receivers' places.
    expect(report.copies).toBe(1 + 2 + 2);
    expect(report.copiedBytes).toBeLessThan(3 * bytes.length + 200);
    for (const pid of pids) {
      await expect.poll(async () => scene.order<unknown[]>(pid, "described")).toHaveLength(1);
    }
    const isShared = await Promise.all(
      pids.map(
        async (pid) => (await scene.order<{ isShared: boolean }[]>(pid, "described"))[0]?.isShared,
      ),
    );
    expect(isShared).toEqual([false, true, true, false, false, true, true, false]);
    await scene.slabsAre(1);
    // The two in one isolate have one array.
    expect(await scene.order(pids[1] as Pid, "release")).toEqual([true]);
    expect(await scene.order(pids[5] as Pid, "release")).toEqual([false]);
    await scene.slabsAre(1);
    await scene.order(pids[2] as Pid, "release");
    await scene.slabsAre(0);
  });

  test("is the very object inside the isolate, and leaves it for nobody's sake", async () => {
    const seen: unknown[] = [];
    const { processes } = scene.here.beam;
    const pids = [1, 2].map(() => processes.spawn((message: unknown) => void seen.push(message)));
    const message = { bytes: new Uint8Array(64 * KIB) };
    const report = broadcast(pids, message);
    expect(report).toEqual({
      accepted: 2,
      refused: [],
      encodings: 0,
      transfers: 0,
      copies: 0,
      copiedBytes: 0,
    });
    await expect.poll(() => seen.length).toBe(2);
    expect(seen.every((each) => each === message)).toBe(true);
  });

  test("goes in parts to more receivers than one transfer is for", async () => {
    await scene.inWorker("a");
    const pids = await Promise.all(Array.from({ length: 300 }, async () => scene.inWorker("a")));
    expect(broadcast(pids, "hello")).toMatchObject({ accepted: 300, encodings: 1, transfers: 2 });
    await allHold(pids, ["hello"]);
  });

  test("keeps its place among other messages of the channel", async () => {
    const pid = await scene.atNode();
    const { processes } = scene.here.beam;
    processes.send(pid, 1);
    broadcast([pid, pid], 2);
    processes.send(pid, 3);
    await allHold([pid], [1, 2, 2, 3]);
  });

  test("goes by the channel of a priority", async () => {
    const pid = await scene.atNode();
    const sent = (): number => scene.here.metrics().channels["urgent"]?.messagesSent ?? 0;
    const before = sent();
    broadcast([pid], "now", { priority: 0 });
    await allHold([pid], ["now"]);
    expect(sent()).toBe(before + 1);
  });
});

describe("who is not reached is named, with the reason", () => {
  test("a full mailbox, and a message that is too large for another isolate", async () => {
    const { processes } = scene.here.beam;
    const stuck = processes.spawn(async () => new Promise(() => {}), {
      mailbox: { messagesMax: 1 },
    });
    const far = await scene.inWorker("a");
    processes.send(stuck, "in its handler");
    await expect.poll(() => processes.send(stuck, "waits")).toBe(false);
    const { accepted, refused } = broadcast([stuck, far], new Uint8Array(17 << 20));
    expect(accepted).toBe(0);
    expect(refused).toEqual([
      { pid: stuck, reason: "full" },
      { pid: far, reason: "message_too_large" },
    ]);
  });

  test("but who is gone loses it, as any message", async () => {
    const { processes } = scene.here.beam;
    const [gone, alive] = [await scene.inWorker("a"), await scene.inWorker("a")];
    const ended = processes.exitOf(gone);
    processes.exit(gone, "kill");
    await ended;
    expect(broadcast([gone, alive], "hello")).toMatchObject({ accepted: 2, refused: [] });
    await allHold([alive], ["hello"]);
  });

  test("and what cannot be sent at all goes to nobody", async () => {
    const here = await scene.holder("in this isolate");
    const far = await scene.inWorker("a");
    const refused = (code: string): unknown => expect.objectContaining({ code });
    expect(() => broadcast([here, far], { run: () => {} })).toThrow(refused("unencodable"));
    expect(() => broadcast([far], 1, { priority: 7 })).toThrow(refused("invalid_options"));
    const mistyped = { chanel: "urgent" } as never;
    expect(() => broadcast([far], 1, mistyped)).toThrow(refused("invalid_options"));
    expect(await held(here)).toEqual([]);
  });
});
