import { createHash } from "node:crypto";
import type { NodeMetrics } from "foundation-runtime";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BODY, crc32c, headerCrc } from "./by-hand.ts";
import {
  DATA_HEADER_BYTES,
  type DataFields,
  dataFrame,
  FLAG,
  writeDataFrame,
} from "./data-frames.ts";
import { type HandPeer, LARGE_ACCOUNT, reserveFrame } from "./hand-peer.ts";
import { Scene } from "./hostile-scene.ts";
import { within } from "./local-nodes.ts";
import { SeededRandom } from "./seeded-random.ts";

const MIB = 1 << 20;
/** What a message costs beside its payload. Unit: bytes. */
const COST_BYTES = 64;
const PAYLOAD_BYTES_MAX = 16 * MIB;
/** A header of 255 words, and the largest payload. Unit: bytes. */
const FRAME_BYTES_MAX = PAYLOAD_BYTES_MAX + 1_020;
const CONTROL_BYTES_MAX = 64 << 10;

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
  await scene.victim.handle("sink", "note");
});
afterEach(async () => scene.clear());
afterAll(async () => scene.close());

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64");

/** A member by hand that may send to `sink` under number 0. */
async function sender(): Promise<HandPeer> {
  const hand = await scene.hand();
  await hand.bind(0, "sink");
  return hand;
}

/** A control frame whose prefix states what it is told to, with right checksums. */
function rawControl(payload: Uint8Array, statedBytes: number, statedWords = 4): Buffer {
  const frame = Buffer.alloc(16 + payload.length);
  frame.writeUInt32LE(statedBytes, 0);
  frame.set([2, statedWords], 4);
  frame.writeUInt32LE(crc32c(payload), 8);
  frame.writeUInt32LE(headerCrc(frame, 16), 12);
  frame.set(payload, 16);
  return frame;
}

/** Extension area: entries of kind, 0, length, bytes. */
const entry = (statedBytes: number, bytes: number): Uint8Array => {
  const area = new Uint8Array(4 + bytes);
  area.set([1, 0, statedBytes & 0xff, statedBytes >>> 8]);
  return area;
};

describe("a header at its boundaries", () => {
  const LENGTHS: [string, string, DataFields][] = [
    ["a frame of 0 bytes", "frame_too_short", { statedBytes: 0 }],
    ["a frame of 1 byte", "frame_too_short", { statedBytes: 1 }],
    ["a frame one byte short of its prefix", "frame_too_short", { statedBytes: 15 }],
    ["a frame of its prefix alone", "frame_too_short", { statedBytes: 16 }],
    ["a frame one byte short of its header", "frame_too_short", { statedBytes: 63 }],
    ["a frame of a byte that its message lacks", "bad_chunk", { statedBytes: 65 }],
    ["the longest frame around no message", "bad_chunk", { statedBytes: FRAME_BYTES_MAX }],
    ["a frame one byte too long", "frame_too_large", { statedBytes: FRAME_BYTES_MAX + 1 }],
    ["a length whose sign bit is set", "frame_too_large", { statedBytes: 0x8000_0000 }],
    ["-64 as a length", "frame_too_large", { statedBytes: 0xffff_ffc0 }],
    ["-1 as a length", "frame_too_large", { statedBytes: 0xffff_ffff }],
    ["a header of 0 words", "header_too_short", { statedWords: 0 }],
    ["a header of a prefix", "header_too_short", { statedWords: 4 }],
    ["a header one word short", "header_too_short", { statedWords: 15 }],
    ["a header longer than its frame", "frame_too_short", { statedWords: 255 }],
    ["a word of extension outside the header", "bad_extension", { statedExtensionWords: 1 }],
    [
      "a header longer than its extension",
      "bad_extension",
      { flags: FLAG.extended, extension: entry(4, 4), statedExtensionWords: 1 },
    ],
    ["an extension that no flag announces", "bad_extension", { extension: entry(4, 4) }],
    ["a flag that no extension follows", "bad_extension", { flags: FLAG.extended }],
    [
      "an entry longer than its area",
      "bad_extension",
      { flags: FLAG.extended, extension: entry(5, 4) },
    ],
    [
      "an entry of 65,535 bytes",
      "bad_extension",
      { flags: FLAG.extended, extension: entry(0xffff, 4) },
    ],
    ["a message longer than its frame", "bad_chunk", { messageBytes: 1 }],
    ["a message of 2^32 - 1 bytes", "bad_chunk", { messageBytes: 0xffff_ffff }],
    ["a whole message that begins at 1", "bad_chunk", { chunkOffset: 1 }],
    [
      "a part behind its message's end",
      "bad_chunk",
      { flags: FLAG.chunk, chunkOffset: 0xffff_ffff, messageBytes: 1 },
    ],
    [
      "a part of nothing",
      "protocol_violation",
      { flags: FLAG.chunk, account: 0x2000, chunkOffset: 0, messageBytes: 10 },
    ],
    [
      "a message above the announced limit",
      "protocol_violation",
      { flags: FLAG.chunk, messageBytes: PAYLOAD_BYTES_MAX + 1 },
    ],
    [
      "a large message without a reservation",
      "credit_violation",
      {
        flags: FLAG.chunk,
        account: 0x2000 + LARGE_ACCOUNT,
        messageBytes: PAYLOAD_BYTES_MAX,
      },
    ],
  ];

  test("ends the link with the code of what is wrong with it, one link each", async () => {
    await scene.begin();
    for (const [what, code, fields] of LENGTHS) {
      const before = await scene.linksEnded(code);
      const hand = await sender();
      await hand.write(dataFrame(hand.to(0, fields)));
      await within(hand.closed, `the end of the link after ${what}`);
      expect(await scene.linksEnded(code), what).toBe(before + 1);
    }
    expect(await scene.victim.notes("sink")).toEqual([]);
    await scene.expectUnharmed(0);
  });

  const NOTHING = new Uint8Array(0);
  const CONTROLS: [string, string, Buffer][] = [
    ["no words", "header_too_short", rawControl(NOTHING, 16, 0)],
    ["three words", "header_too_short", rawControl(NOTHING, 16, 3)],
    ["five words", "header_too_long", rawControl(new Uint8Array(48), 64, 5)],
    ["255 words", "header_too_long", rawControl(NOTHING, 2_048, 255)],
    ["15 bytes", "frame_too_short", rawControl(NOTHING, 15)],
    ["a body a byte too long", "control_too_large", rawControl(NOTHING, CONTROL_BYTES_MAX + 17)],
    ["a length of -1", "frame_too_large", rawControl(NOTHING, 0xffff_ffff)],
    ["no body", "malformed_control", rawControl(NOTHING, 16)],
    [
      "a body of 64 KiB of nothing",
      "malformed_control",
      rawControl(new Uint8Array(CONTROL_BYTES_MAX), CONTROL_BYTES_MAX + 16),
    ],
  ];

  test("of a control frame likewise", async () => {
    await scene.begin();
    for (const [what, code, frame] of CONTROLS) {
      const before = await scene.linksEnded(code);
      const hand = await sender();
      await hand.write(frame);
      await within(hand.closed, `the end of the link after ${what}`);
      expect(await scene.linksEnded(code), what).toBe(before + 1);
    }
    await scene.expectUnharmed(0);
  });

  test("of a stranger's frame likewise, before anything is awaited", async () => {
    const STRANGE: [string, string, Buffer][] = [
      ["0 bytes", "frame_too_short", rawControl(NOTHING, 0)],
      ["15 bytes", "frame_too_short", rawControl(NOTHING, 15)],
      ["16 bytes", "malformed_control", rawControl(NOTHING, 16)],
      ["2 KiB of body and a byte", "frame_too_large", rawControl(NOTHING, 2_048 + 17)],
      ["-1 bytes", "frame_too_large", rawControl(NOTHING, 0xffff_ffff)],
      ["a data frame", "protocol_violation", dataFrame({})],
      ["a data frame of 16 MiB", "frame_too_large", dataFrame({ statedBytes: 64 + 16 * MIB })],
    ];
    await scene.begin();
    const failed = async (code: string): Promise<number> =>
      (await scene.victim.metrics()).handshakesFailed[code] ?? 0;
    for (const [what, code, frame] of STRANGE) {
      const before = await failed(code);
      const stranger = await scene.stranger();
      stranger.socket.write(frame);
      await within(stranger.closed, `the end of a stranger after ${what}`);
      expect(await failed(code), what).toBe(before + 1);
    }
    // 2 KiB to the byte may come, and is awaited.
    const patient = await scene.stranger();
    patient.socket.write(rawControl(new Uint8Array(100), 2_048 + 16));
    await scene.expectUnharmed(0);
    expect(patient.socket.destroyed).toBe(false);
  });

  test("is taken up to the very limit, and not beyond it", async () => {
    await scene.begin();
    const hand = await sender();
    const longest = FLAG.extended;
    const extension = entry(952, 952);
    await hand.send(hand.to(0), NOTHING);
    await hand.send(hand.to(0, { sequence: 1 }), Buffer.from("1"));
    await hand.send(hand.to(0, { sequence: 2, flags: longest, extension }), Buffer.from("2"));
    const payload = new SeededRandom(1).bytes(PAYLOAD_BYTES_MAX);
    const account = 0x2000 + LARGE_ACCOUNT;
    await hand.write(reserveFrame(account, PAYLOAD_BYTES_MAX + COST_BYTES));
    await hand.heard(BODY.credits);
    await hand.send(hand.to(0, { sequence: 3, account, flags: longest, extension }), payload);
    await expect.poll(async () => (await scene.victim.notes("sink")).length).toBe(4);
    const notes = await scene.victim.notes("sink");
    expect(notes.map(({ bytes }) => bytes)).toEqual([0, 1, 1, PAYLOAD_BYTES_MAX]);
    expect(notes[3]?.digest).toBe(digest(payload));
    const before = await scene.linksEnded("protocol_violation");
    const messageBytes = PAYLOAD_BYTES_MAX + 1;
    const beyond = { account, messageBytes, statedBytes: DATA_HEADER_BYTES + messageBytes };
    await hand.write(dataFrame(hand.to(0, beyond)));
    await within(hand.closed, "the end of the link after a byte too much");
    expect(await scene.linksEnded("protocol_violation")).toBe(before + 1);
    // The slab, and the copy that the handler got.
    await scene.expectUnharmed(2 * PAYLOAD_BYTES_MAX);
  });
});

describe("compression, of which there is none", () => {
  test.each([12, 13, 14, 15])("announced by flag %i ends the link", async (bit) => {
    await scene.begin();
    const before = await scene.linksEnded("reserved_flag");
    const hand = await sender();
    await hand.send(hand.to(0, { flags: 1 << bit }), Buffer.from("compressed?"));
    await within(hand.closed, "the end of the link");
    expect(await scene.linksEnded("reserved_flag")).toBe(before + 1);
    await scene.expectUnharmed(0);
  });

  test("announced as an encoding is counted, and the link goes on", async () => {
    await scene.begin();
    const heard = (await scene.victim.notes("sink")).length;
    const before = (await scene.victim.metrics()).isolate.undecodable;
    const hand = await sender();
    const unknown = 7;
    for (let sequence = 0; sequence < 100; sequence++) {
      // Short ones lie in the ring, long ones in a slab.
      const bytes = sequence % 2 === 0 ? 10 : 20_000;
      await hand.send(hand.to(0, { sequence, flags: unknown }), new Uint8Array(bytes));
    }
    await hand.send(hand.to(0, { sequence: 100 }), Buffer.from("plain"));
    await scene.expectCount(({ isolate }) => isolate.undecodable - before, 100);
    await expect.poll(async () => (await scene.victim.notes("sink")).length).toBe(heard + 1);
    expect((await scene.victim.metrics()).slabs.live).toBeLessThan(10);
    await scene.expectUnharmed(0);
  });

  test("of nothing at all, in every encoding, is a value, nothing or a count", async () => {
    await scene.begin();
    const heard = (await scene.victim.notes("sink")).length;
    const before = (await scene.victim.metrics()).isolate.undecodable;
    const hand = await sender();
    // Bytes, a FlatBuffers table of no bytes, a packed value, nothing, an error, two bundles, 7.
    for (let encoding = 0; encoding < 8; encoding++) {
      await hand.send(hand.to(0, { sequence: encoding, flags: encoding }), new Uint8Array(0));
    }
    await hand.send(hand.to(0, { sequence: 8 }), Buffer.from("the end"));
    const last = async (): Promise<unknown> => (await scene.victim.notes("sink")).at(-1)?.bytes;
    await expect.poll(last).toBe("the end".length);
    const taken = (await scene.victim.notes("sink")).length - heard;
    const refused = (await scene.victim.metrics()).isolate.undecodable - before;
    expect({ taken, refused }).toEqual({ taken: 4, refused: 3 });
    await scene.expectUnharmed(0);
  });
});

describe("a message in a million parts of one byte", () => {
  const PARTS = 1_000_000;
  const BATCH = 10_000;

  /** Writes parts of one byte each, up to one before `end`. */
  async function sendParts(hand: HandPeer, payload: Uint8Array, end: number): Promise<void> {
    for (let from = 0; from < end; from += BATCH) {
      const to = Math.min(from + BATCH, end);
      const frames = Buffer.allocUnsafe((to - from) * (DATA_HEADER_BYTES + 1));
      let at = 0;
      for (let chunkOffset = from; chunkOffset < to; chunkOffset++) {
        const fields = { flags: FLAG.chunk, messageBytes: payload.length, chunkOffset };
        const part = payload.subarray(chunkOffset, chunkOffset + 1);
        at = writeDataFrame(frames, at, hand.to(0, fields), part);
      }
      await hand.write(frames);
    }
  }

  test("is put together where it belongs, in the memory of one message", async () => {
    const payload = new SeededRandom(2).bytes(PARTS);
    await scene.begin();
    const { length } = await scene.victim.notes("sink");
    await sendParts(await sender(), payload, PARTS);
    const noted = async (): Promise<number> => (await scene.victim.notes("sink")).length;
    await expect.poll(noted, { timeout: 60_000 }).toBe(length + 1);
    const note = (await scene.victim.notes("sink")).at(-1);
    expect(note).toMatchObject({ bytes: PARTS, digest: digest(payload) });
    await scene.expectUnharmed(2 * PARTS);
  });

  test("whose last one never comes gives its memory back with the link", async () => {
    const payload = new Uint8Array(PARTS);
    await scene.begin();
    const { length } = await scene.victim.notes("sink");
    const hand = await sender();
    await sendParts(hand, payload, PARTS / 2);
    const isHeld = ({ slabs }: NodeMetrics): number => Number(slabs["liveBytes"]! >= PARTS);
    await scene.expectCount(isHeld, 1);
    await hand.leave(false);
    await scene.expectCount(isHeld, 0);
    expect((await scene.victim.notes("sink")).length).toBe(length);
    await scene.expectUnharmed(PARTS);
  });
});
