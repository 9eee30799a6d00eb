import { randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { RECORD, RING } from "../../dist/bindings/generated/layout.js";
import {
  type Credit,
  FULL,
  GONE,
  type MessageHead,
  RecordWriter,
} from "../../dist/ts/kernel/record-writer.js";
import { RingConsumer, RingProducer } from "../../dist/ts/kernel/ring.js";
import { lendArena } from "../../dist/ts/kernel/shared-runtime.js";
import { ENCODING, Encoded } from "../../dist/ts/kernel/values.js";

// The writer copies through the core, which knows one arena only. No node runs, so it is all ours.
const arena = lendArena(16 << 20);
const OFFSET = arena.at(0);
const CAPACITY_BYTES = 16 << 10;
const MESSAGES = 60_000;
/** What rings of this size take inline; the writer puts larger ones into slabs. Unit: bytes. */
const INLINE_BYTES_MAX = CAPACITY_BYTES / RING.BODY_DIVISOR - RECORD.HEAD_BYTES;
const BUNDLED_BYTES_MAX = 1 << 10;
/** Bits of a tag that tell a bundle from a single message, once they are shifted down. */
const ENCODING_BITS = 7;

interface Taken {
  readonly channel: number;
  readonly destination: number;
  readonly encoding: number;
  readonly payload: Uint8Array;
}

function open(credit?: Credit): {
  writer: RecordWriter;
  reader: RingConsumer;
  wakes: () => number;
} {
  arena.u8.fill(0, OFFSET, OFFSET + RING.DATA + CAPACITY_BYTES);
  let wakes = 0;
  const ring = new RingProducer(arena, OFFSET, CAPACITY_BYTES);
  const wake = (): void => {
    wakes++;
  };
  const writer = new RecordWriter(arena, 0, ring, wake, undefined, credit);
  return { writer, reader: new RingConsumer(arena, OFFSET, CAPACITY_BYTES), wakes: () => wakes };
}

/** What a message of bytes is written as; other kinds are only told by the head here. */
const encoded = (payload: Uint8Array): Encoded => new Encoded(payload, ENCODING.bytes);

function headOf(channel: number, destination: number, encoding: number): MessageHead {
  return {
    tag: RECORD.MESSAGE | (encoding << RECORD.ENCODING_SHIFT),
    peer: 1,
    channel,
    destination,
    slot: 0,
    generation: 0,
    correlation: 0,
    replyBytesMax: 0,
    mayBundle: true,
    route: undefined,
  };
}

/** The messages of the present record, those of a bundle one by one. */
function messagesOf(reader: RingConsumer): Taken[] {
  const { start, size, tag } = reader;
  const channel = arena.u16[(start + RECORD.CHANNEL) >>> 1] as number;
  const destination = arena.u32[(start + RECORD.DESTINATION) >>> 2] as number;
  const encoding = (tag >>> RECORD.ENCODING_SHIFT) & ENCODING_BITS;
  const end = start + size;
  if (encoding !== ENCODING.bytesBundle) {
    const payload = arena.u8.slice(start + RECORD.HEAD_BYTES, end);
    return [{ channel, destination, encoding, payload }];
  }
  const messages: Taken[] = [];
  for (let at = start + RECORD.HEAD_BYTES; at < end; ) {
    const length = (arena.u8[at] as number) | ((arena.u8[at + 1] as number) << 8);
    const from = at + RECORD.BUNDLE_LENGTH_BYTES;
    at = from + length;
    const payload = arena.u8.slice(from, at);
    messages.push({ channel, destination, encoding: ENCODING.bytes, payload });
  }
  expect(messages).toHaveLength(arena.u32[(start + RECORD.CORRELATION) >>> 2] as number);
  return messages;
}

function readAll(reader: RingConsumer): Taken[] {
  const messages: Taken[] = [];
  while (reader.next()) {
    if ((reader.tag & RECORD.KIND_MASK) === RECORD.MESSAGE) messages.push(...messagesOf(reader));
  }
  reader.release();
  expect(reader.isCorrupt).toBe(false);
  return messages;
}

/** A quick look; the slow one says what differs. */
function isSame(message: Taken, other: Taken | undefined): boolean {
  return (
    message.channel === other?.channel &&
    message.destination === other.destination &&
    message.encoding === other.encoding &&
    Buffer.compare(message.payload, other.payload) === 0
  );
}

const filled = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => index * 7 + seed);

test(`${MESSAGES} messages of any kind are read as they were written, in order`, () => {
  let state = randomInt(1, 2 ** 31);
  process.stdout.write(`record-writer: seed ${state}\n`);
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const edges = [0, 1, 6, 64, BUNDLED_BYTES_MAX - 1, BUNDLED_BYTES_MAX, BUNDLED_BYTES_MAX + 1];
  const { writer, reader } = open();
  const routes = [0, 1, 2].map((channel) => ({ channel }));
  const expected: Taken[] = [];
  let read = 0;
  let refused = 0;
  let appended = 0;
  const compare = (): void => {
    for (const message of readAll(reader)) {
      if (!isSame(message, expected[read])) expect(message).toEqual(expected[read]);
      read++;
    }
  };
  for (let number = 0; number < MESSAGES; number++) {
    // Runs of one receiver, so that there are bundles; now and then something of another kind.
    const channel = random(20) === 0 ? random(3) : 0;
    const isBytes = random(30) > 0;
    const length = random(3) === 0 ? (edges[random(edges.length)] as number) : random(80);
    const payload = filled(random(200) === 0 ? random(INLINE_BYTES_MAX + 1) : length, number);
    const head = headOf(channel, channel, isBytes ? ENCODING.bytes : ENCODING.flatBuffers);
    head.mayBundle = random(50) > 0;
    head.route = routes[channel];
    const message = {
      channel,
      destination: channel,
      encoding: isBytes ? ENCODING.bytes : ENCODING.flatBuffers,
      payload,
    };
    const before = writer.ring.position;
    if (isBytes && head.mayBundle && writer.append(head.route as object, payload)) {
      expected.push(message);
      appended++;
    } else if (writer.write(head, encoded(payload)) === FULL) {
      refused++;
      expect(writer.hasRoom(payload.length)).toBe(false);
      compare();
      expect(read).toBe(expected.length); // nothing was taken of what was refused
      expect(writer.hasRoom(payload.length)).toBe(true);
    } else {
      expected.push(message);
    }
    if (writer.ring.position < before && random(2) === 0) compare();
    if (random(100) === 0) writer.flush();
    if (random(1_000) === 0) writer.writeSettlement(1, 0, 0, 1, 1);
  }
  writer.flush();
  compare();
  expect(read).toBe(expected.length);
  // Each way was taken, else nothing was shown about it.
  expect(refused).toBeGreaterThan(10);
  expect(appended).toBeGreaterThan(MESSAGES / 10);
});

describe("a bundle", () => {
  const bodyBytesMax = INLINE_BYTES_MAX;
  const payload = filled(100, 1);
  const entryBytes = RECORD.BUNDLE_LENGTH_BYTES + payload.length;
  const room = Math.floor((bodyBytesMax - RECORD.HEAD_BYTES) / entryBytes);
  const left = bodyBytesMax - RECORD.HEAD_BYTES - room * entryBytes;

  /** Records that a full bundle and one message more come to. */
  function recordsWith(last: number): number[] {
    const { writer, reader } = open();
    const head = headOf(0, 7, ENCODING.bytes);
    for (let number = 0; number < room; number++) writer.write(head, encoded(payload));
    writer.write(head, encoded(filled(last, 2)));
    writer.flush();
    const counts: number[] = [];
    while (reader.next()) counts.push(messagesOf(reader).length);
    return counts;
  }

  test("takes a message that just fits, and no longer one", () => {
    expect(recordsWith(left - RECORD.BUNDLE_LENGTH_BYTES)).toEqual([room + 1]);
    expect(recordsWith(left - RECORD.BUNDLE_LENGTH_BYTES + 1)).toEqual([room, 1]);
  });

  test("is not shown before its end, and is with whatever follows it", () => {
    const { writer, reader, wakes } = open();
    reader.arm();
    writer.write(headOf(0, 7, ENCODING.bytes), encoded(payload));
    expect(readAll(reader)).toEqual([]);
    const urgent = encoded(new Uint8Array(0)); // on another channel
    writer.write(headOf(1, 7, ENCODING.nothing), urgent);
    writer.write(headOf(0, 7, ENCODING.bytes), encoded(payload));
    expect(readAll(reader)).toEqual([]);
    expect(wakes()).toBe(0);
    writer.flush();
    expect(readAll(reader).map(({ channel }) => channel)).toEqual([0, 1, 0]);
    expect(wakes()).toBe(1);
  });

  test("ends with the burst by itself", async () => {
    const { writer, reader } = open();
    writer.write(headOf(0, 7, ENCODING.bytes), encoded(payload));
    await Promise.resolve();
    expect(readAll(reader)).toHaveLength(1);
  });

  test("is lost with a ring that is given back, and nothing is written any more", async () => {
    const { writer, reader } = open();
    const head = headOf(0, 7, ENCODING.bytes);
    head.route = {};
    writer.write(head, encoded(payload));
    writer.close();
    expect(writer.append(head.route, payload)).toBe(false);
    expect(writer.write(head, encoded(payload))).toBe(GONE);
    expect(writer.writeSettlement(1, 0, 0, 1, 1)).toBe(false);
    writer.flush();
    await Promise.resolve();
    expect(readAll(reader)).toEqual([]);
  });
});

describe("credit that the writer keeps to itself", () => {
  test("is not exceeded by a bundle, is spent with it, and lets one message through", () => {
    let spent = 0;
    const window = 1_000;
    const credit = {
      left: () => (spent === 0 ? Number.POSITIVE_INFINITY : window - spent),
      spend: (_channel: number, bytes: number): void => {
        spent += bytes;
      },
    };
    const { writer, reader } = open(credit);
    const head = headOf(0, 7, ENCODING.bytes);
    head.tag |= RECORD.CHARGED;
    head.route = {};
    expect(writer.write(head, encoded(filled(2 * window, 1)))).toBeGreaterThan(0);
    expect(spent).toBeGreaterThan(2 * window);
    expect(writer.write(head, encoded(filled(1, 2)))).toBe(FULL);
    spent = 500;
    let accepted = 0;
    const payload = filled(48, 3);
    while (writer.append(head.route, payload) || writer.write(head, encoded(payload)) > 0)
      accepted++;
    // 64 bytes for the record, 50 for each message, within the 500 that are left.
    expect(accepted).toBe(8);
    writer.flush();
    expect(spent).toBe(500 + 64 + 8 * 50);
    expect(readAll(reader)).toHaveLength(1 + accepted);
    // What is not charged does not ask.
    expect(writer.write(headOf(0, 7, ENCODING.bytes), encoded(payload))).toBeGreaterThan(0);
  });
});
