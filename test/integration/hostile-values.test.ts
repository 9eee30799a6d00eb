import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ENCODING } from "../../dist/ts/kernel/values.js";
import { BODY } from "./by-hand.ts";
import { type HandPeer, LARGE_ACCOUNT, reserveFrame } from "./hand-peer.ts";
import { Scene } from "./hostile-scene.ts";
import { SOON_MS } from "./local-nodes.ts";

const MIB = 1 << 20;
const COST_BYTES = 64;
/** Longest message: above the window, so it has an account of its own. */
const LARGE_BYTES = 16 * MIB;
/**
 * What a value may take while it is read: its objects, its slab and its copy; and as much again of
 * the value before, which V8 has not collected yet.
 */
const WIDE_BYTES_MAX = 2 * (64 * MIB + 2 * LARGE_BYTES);

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
  await scene.victim.handle("sink", "keys");
});
afterEach(async () => scene.clear());
afterAll(async () => scene.close());

async function undecodable(): Promise<number> {
  return (await scene.victim.metrics()).isolate.undecodable;
}

/** Sends packed values to `sink`, however large, and a last one that is right. */
async function sendPacked(hand: HandPeer, values: readonly Uint8Array[]): Promise<void> {
  await hand.bind(0, "sink");
  let reserved = 0;
  let credits = 0;
  for (const [sequence, value] of values.entries()) {
    const fields = { sequence, flags: ENCODING.packed };
    if (value.length + COST_BYTES <= MIB) {
      await hand.send(hand.to(0, fields), value);
      continue;
    }
    const account = 0x2000 + LARGE_ACCOUNT;
    reserved += value.length + COST_BYTES;
    credits++;
    await hand.write(reserveFrame(account, reserved));
    await expect
      .poll(() => hand.controls.filter((one) => one === BODY.credits).length, {
        timeout: 30_000,
      })
      .toBeGreaterThanOrEqual(credits);
    await hand.send(hand.to(0, { ...fields, account }), value);
  }
}

/** A value of so many bytes: a head, then units without end. */
function repeated(bytes: number, head: readonly number[], unit: readonly number[]): Uint8Array {
  const value = new Uint8Array(bytes);
  value.set(head);
  for (let at = head.length; at < bytes; at++) value[at] = unit[(at - head.length) % unit.length]!;
  return value;
}

/** The head of an array of a count that as many bytes could hold. */
const arrayOf = (count: number): number[] => [
  0xdd,
  count >>> 24,
  (count >>> 16) & 0xff,
  (count >>> 8) & 0xff,
  count & 0xff,
];

describe("a value", () => {
  test("that is a million deep is counted and harms nothing", async () => {
    await scene.begin();
    const before = await undecodable();
    const deep = [[0x91], [0x81, 0xa1, 0x61], [0xd6, 0x91], [0xd7, 0x92, 0x01]].map((unit) =>
      repeated(1_100_000, [], unit),
    );
    const embedded = [[0x91], [0x81, 1], [0xd4, 0x73, 0, 0x91]].map((unit) =>
      repeated(1_100_000, [0xc9, 0x00, 0x10, 0xc8, 0xdb], unit),
    );
    const attacks = [...deep, ...embedded];
    await sendPacked(await scene.hand(), [...attacks, Uint8Array.of(0x80)]);
    await scene.expectCount(({ isolate }) => isolate.undecodable - before, attacks.length);
    await scene.expectUnharmed(attacks.length * 3 * MIB);
  });

  test("that is millions wide, or says so, is counted and its memory bounded", async () => {
    await scene.begin();
    const before = await undecodable();
    const claims = [
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0xdf, 0xff, 0xff, 0xff, 0xff],
      [0xdb, 0xff, 0xff, 0xff, 0xff],
      [0xc6, 0xff, 0xff, 0xff, 0xff],
      [0xc9, 0xff, 0xff, 0xff, 0xff],
      [0xc1, 0x00, 0xff, 0xff, 0x01],
    ].map((bytes) => Uint8Array.from(bytes));
    const units = [[0x80], [0x90], [0xd6, 0x90], [0xd7, 0x90], [0xc4, 0x00], [0xc0]];
    // Refused not before a million objects are there.
    units.push([0x98, ...new Array<number>(8).fill(0x80)]);
    const wide = units.map((unit) => {
      const count = Math.floor((LARGE_BYTES - 5) / unit.length);
      return repeated(5 + count * unit.length, arrayOf(count), unit);
    });
    const attacks = [...claims, ...wide];
    await sendPacked(await scene.hand(), attacks);
    await scene.expectCount(({ isolate }) => isolate.undecodable - before, attacks.length);
    expect((await scene.victim.metrics()).slabs["liveBytes"]).toBeLessThan(MIB);
    await scene.expectUnharmed(WIDE_BYTES_MAX);
  });
});

/** Keys that mean something to objects. */
const KEYS = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

describe("a key that means something to objects", () => {
  const text = (value: string): number[] => [0xa0 | value.length, ...Buffer.from(value)];
  /** An object that all objects would be polluted by: `{ polluted: true }`. */
  const poison = [0x81, ...text("polluted"), 0xc3];

  /** Every place of a value where a sender chooses a key. */
  const places = (key: string): Uint8Array[] => {
    const record = [0xd4, 0x72, 0x40, 0x91, ...text(key), ...poison];
    const map = [0x81, ...text(key), ...poison];
    const shape = [key.length, ...Buffer.from(key)];
    const described = [0xc1, 0, 0, shape.length, ...shape];
    const embedded = (packed: number[]): number[] => [0xc7, packed.length, ...packed];
    return [
      map,
      [0x81, ...text("outer"), ...map],
      [...described, 0x40, ...poison],
      // Often enough that code is made for the shape.
      [...described, 0xdc, 0, 200, ...new Array(200).fill([0x40, ...poison]).flat()],
      [0xd7, 0x92, ...text(key), ...poison],
      embedded(record),
      embedded([0x95, ...record, ...new Array(4).fill([0x40, ...poison]).flat()]),
      embedded(map),
      embedded([0xd4, 0x65, 0, 0x93, ...text(key), ...text(key), ...map]),
      embedded([0xd4, 0x78, 0, 0x92, ...text(key), ...text("")]),
    ].map((bytes) => Uint8Array.from(bytes));
  };

  test("reaches no prototype from any place in a value", async () => {
    await scene.begin();
    const before = await scene.victim.seen("sink");
    const values = KEYS.flatMap(places);
    await sendPacked(await scene.hand(), values);
    const taken = async (): Promise<number> =>
      (await scene.victim.seen("sink")).messages - before.messages;
    await expect.poll(taken).toBe(values.length);
    expect(await scene.victim.findings("sink")).toEqual([]);
    expect(await scene.victim.pollution()).toEqual([]);
    await scene.expectUnharmed(MIB);
  });

  test("reaches none as the code or the text of an error, either", async () => {
    await scene.begin();
    const hand = await scene.hand();
    for (const key of KEYS) {
      const asked = hand.data.length;
      const failure = scene.victim.call({ node: hand.name, name: key }, "question");
      const refused = expect(failure).rejects.toMatchObject({ code: "handler_failed" });
      await expect.poll(() => hand.data.length, { timeout: SOON_MS }).toBe(asked + 1);
      const answer = [0x82, ...text("code"), ...text(key), ...text("message"), ...text(key)];
      await hand.answer(asked, ENCODING.error, Uint8Array.from(answer));
      await refused;
    }
    // An answer is no value at all: the caller hears of it, and it is counted.
    const before = await undecodable();
    const asked = hand.data.length;
    const broken = scene.victim.call({ node: hand.name, name: "broken" }, "question");
    const refused = expect(broken).rejects.toMatchObject({ code: "undecodable" });
    await expect.poll(() => hand.data.length).toBe(asked + 1);
    await hand.answer(asked, ENCODING.packed, Uint8Array.of(0xc1));
    await refused;
    expect(await undecodable()).toBe(before + 1);
    expect(await scene.victim.pollution()).toEqual([]);
    await scene.expectUnharmed(MIB);
  });
});
