import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { FLAG } from "./data-frames.ts";
import type { HandPeer } from "./hand-peer.ts";
import { Scene } from "./hostile-scene.ts";

const MIB = 1 << 20;
/** Members that a node has a place for, whether they are up or not. */
const PLACES = 2_048;
/** Members that come at once. */
const BATCH = 64;
/** What a member that was heard of may cost: its place, its name, what isolates know. */
const PLACE_BYTES_MAX = 8 << 10;

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
  await scene.victim.handle("parked", "parked");
  await scene.victim.handle("sink", "note");
});
afterEach(async () => scene.clear());
afterAll(async () => scene.close());

/** Members that come, say who they are, and go. */
async function comeAndGo(count: number): Promise<HandPeer[]> {
  const hands = await Promise.all(Array.from({ length: count }, async () => scene.hand()));
  for (const hand of hands) {
    await hand.bind(0, "sink");
    await hand.send(hand.to(0), Buffer.from(hand.name));
  }
  return hands;
}

test("places of members that left are used again, and nothing of theirs is passed on", async () => {
  await scene.begin();
  // Those whose places are used again: each has left a request and a message that are unfinished.
  const old = await Promise.all(Array.from({ length: 10 }, async () => scene.hand()));
  for (const hand of old) {
    await hand.bind(0, "parked");
    const request = { flags: FLAG.request, correlation: 7, replyBytesMax: 1_000 };
    await hand.send(hand.to(0, { ...request, sequence: 1 }), Buffer.from(hand.name));
    await hand.send(hand.to(0, { sequence: 2 }), Buffer.alloc(100_000));
  }
  const parked = async (): Promise<number> => (await scene.victim.seen("parked")).messages;
  await expect.poll(parked).toBe(2 * old.length);
  const calls = old.map(async ({ name }) => scene.victim.call({ node: name, name: "x" }, name));
  const ends = Promise.all(
    calls.map((call) => expect(call).rejects.toMatchObject({ code: "noconnection" })),
  );
  // One that found its link gone would be counted as dropped.
  await expect.poll(() => old.every(({ data }) => data.length === 1)).toBe(true);
  await Promise.all(old.map(async (hand, index) => hand.leave(index % 2 === 0)));
  await ends;

  let came = old.length + 1; // the honest one
  while (came < PLACES) {
    const hands = await comeAndGo(Math.min(BATCH, PLACES - came));
    came += hands.length;
    await Promise.all(hands.map(async (hand) => hand.leave()));
  }
  await scene.expectCount(({ peersKnown }) => peersKnown, PLACES);
  const { peersRefused } = await scene.victim.metrics();
  // From here on every place is somebody's who was there before.
  const heirs = [...(await comeAndGo(BATCH)), ...(await comeAndGo(BATCH))];
  const expected = PLACES - 1 - old.length + heirs.length;
  const noted = async (): Promise<number> => (await scene.victim.notes("sink")).length;
  await expect.poll(noted).toBe(expected);
  const metrics = await scene.victim.metrics();
  expect(metrics).toMatchObject({ peersKnown: PLACES, peersRefused });
  // Each is known by its own name, and by no older one's.
  const froms = (await scene.victim.notes("sink")).slice(-heirs.length).map(({ from }) => from);
  expect(froms.toSorted()).toEqual(heirs.map(({ name }) => name).toSorted());

  // What the old ones asked is answered now: to nobody.
  await scene.victim.unpark();
  const answers = async (): Promise<unknown> =>
    Promise.all(heirs.map(async ({ name }) => scene.victim.call({ node: name, name: "y" }, name)));
  const questions = answers().catch(() => {});
  // The first data frame of each heir is the question to itself, hence no answer to another.
  await expect.poll(() => heirs.every(({ data }) => data.length === 1)).toBe(true);
  for (const { data, name } of heirs) {
    expect(data[0]!.readUInt16LE(6) & (FLAG.request | FLAG.reply), name).toBe(FLAG.request);
    expect(data[0]!.subarray(64).toString(), name).toContain(name);
  }
  // Their credit is their own: a window of messages goes through, none too many.
  const last = heirs.at(-1)!;
  for (let sequence = 1; sequence <= 50; sequence++) {
    await last.send(last.to(0, { sequence }), Buffer.alloc(10_000));
  }
  await expect.poll(noted).toBe(expected + 50);
  for (const heir of heirs) heir.socket.destroy();
  await questions;
  // Ten answers had nobody to go to any more, and were counted.
  expect((await scene.victim.metrics()).dropped).toEqual({ noconnection: old.length });
  await scene.expectUnharmed(PLACES * PLACE_BYTES_MAX + 2 * MIB);
});
