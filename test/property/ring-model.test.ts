import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RING } from "../../bindings/generated/layout.ts";
import { Arena } from "../../ts/kernel/arena.ts";
import { blockBytes, bodyBytesMax, RingConsumer, RingProducer } from "../../ts/kernel/ring.ts";

const CAPACITY_BYTES = 1024;
/** A ring never begins at the arena's first byte. */
const OFFSET = 256;

interface Ring {
  readonly arena: Arena;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;
}

/** A ring whose positions begin where the test wants them, for example just below 2^32. */
function ringAt(position: number): Ring {
  const arena = new Arena(new SharedArrayBuffer(OFFSET + blockBytes(CAPACITY_BYTES)), 0);
  arena.u32[(OFFSET + RING.TAIL) >>> 2] = position;
  arena.u32[(OFFSET + RING.HEAD) >>> 2] = position;
  return {
    arena,
    producer: new RingProducer(arena, OFFSET, CAPACITY_BYTES),
    consumer: new RingConsumer(arena, OFFSET, CAPACITY_BYTES),
  };
}

/** Positions of records are multiples of eight; those around the wrap matter most. */
const position = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 0x1fff_ffff }).map((eighth) => (eighth * 8) >>> 0),
  fc.integer({ min: 1, max: 256 }).map((eighth) => (2 ** 32 - eighth * 8) >>> 0),
);

type Step =
  | { readonly kind: "write"; readonly bytes: number; readonly tag: number }
  | { readonly kind: "publish" | "read" | "release" | "arm" }
  | { readonly kind: "awaitSpace"; readonly bytes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      bytes: fc.integer({ min: 0, max: bodyBytesMax(CAPACITY_BYTES) }),
      tag: fc.integer({ min: 0, max: RING.PADDING - 1 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("publish" as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("read" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("release" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("arm" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("awaitSpace" as const),
      bytes: fc.integer({ min: 1, max: CAPACITY_BYTES }),
    }),
  },
);

interface Written {
  readonly tag: number;
  readonly fill: number;
  readonly bytes: number;
}

/** What a ring has to do, with plain lists for memory. */
class Model {
  readonly #ring: Ring;
  readonly #unpublished: Written[] = [];
  readonly #published: Written[] = [];
  #isArmed = false;
  #isWaiting = false;
  #unreleased = 0;
  #count = 0;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  take(next: Step): void {
    switch (next.kind) {
      case "write":
        return this.#write(next.bytes, next.tag);
      case "publish":
        return this.#publish();
      case "read":
        return this.#read();
      case "release":
        return this.#release();
      case "arm": {
        const isAsleep = this.#ring.consumer.arm();
        expect(isAsleep).toBe(this.#published.length === 0);
        this.#isArmed = isAsleep;
        return;
      }
      case "awaitSpace": {
        const isWaiting = this.#ring.producer.awaitSpace(next.bytes);
        expect(isWaiting).toBe(this.#ring.producer.freeBytes() < next.bytes);
        this.#isWaiting = isWaiting;
        return;
      }
      default:
        next satisfies never;
    }
  }

  #write(bytes: number, tag: number): void {
    const { producer, arena } = this.#ring;
    const before = producer.position;
    const start = producer.claim(bytes, tag);
    if (start < 0) {
      expect(producer.position).toBe(before);
      // The largest record fits an empty ring together with the padding before it.
      const held = CAPACITY_BYTES - producer.freeBytes();
      expect(held + 2 * (RING.HEADER_BYTES + bytes + 7)).toBeGreaterThan(CAPACITY_BYTES);
      return;
    }
    const end = OFFSET + RING.DATA + CAPACITY_BYTES;
    expect(start % 8).toBe(0);
    expect(start).toBeGreaterThanOrEqual(OFFSET + RING.DATA + RING.HEADER_BYTES);
    expect(start + bytes).toBeLessThanOrEqual(end);
    const fill = (this.#count++ % 255) + 1;
    arena.u8.fill(fill, start, start + bytes);
    this.#unpublished.push({ tag, fill, bytes });
  }

  #publish(): void {
    const mustWake = this.#ring.producer.publish();
    expect(mustWake).toBe(this.#unpublished.length > 0 && this.#isArmed);
    if (this.#unpublished.length > 0) this.#isArmed = false;
    this.#published.push(...this.#unpublished.splice(0));
    expect(this.#ring.producer.unpublishedBytes).toBe(0);
  }

  #read(): void {
    const { consumer, arena } = this.#ring;
    const expected = this.#published.shift();
    expect(consumer.next()).toBe(expected !== undefined);
    if (expected === undefined) return;
    expect({ tag: consumer.tag, bytes: consumer.size }).toEqual({
      tag: expected.tag,
      bytes: expected.bytes,
    });
    const body = arena.u8.subarray(consumer.start, consumer.start + consumer.size);
    expect(body.every((byte) => byte === expected.fill)).toBe(true);
    const end = consumer.contiguousEnd();
    expect(end).toBeGreaterThanOrEqual(consumer.start + consumer.size);
    expect(end).toBeLessThanOrEqual(OFFSET + RING.DATA + CAPACITY_BYTES);
    this.#unreleased++;
  }

  #release(): void {
    const hasAny = this.#ring.consumer.unreleasedBytes > 0;
    expect(hasAny).toBe(this.#unreleased > 0);
    expect(this.#ring.consumer.release()).toBe(hasAny && this.#isWaiting);
    if (hasAny) this.#isWaiting = false;
    this.#unreleased = 0;
  }

  /** Reads what is left; the ring is then empty and as large as it ever was. */
  finish(): void {
    this.#publish();
    while (this.#published.length > 0) this.#read();
    this.#read();
    this.#release();
    expect(this.#ring.consumer.isCorrupt).toBe(false);
    expect(this.#ring.producer.freeBytes()).toBe(CAPACITY_BYTES);
  }
}

describe("a ring", () => {
  test("does what lists would do, wherever its positions begin", () => {
    const steps = fc.array(step, { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(position, steps, (start, taken) => {
        const model = new Model(ringAt(start));
        for (const next of taken) model.take(next);
        model.finish();
      }),
      { numRuns: 400 },
    );
  });

  test("knows which positions the reader has passed, across the wrap of 2^32", () => {
    const { producer, consumer } = ringAt(2 ** 32 - 64);
    const positions: number[] = [];
    for (let index = 0; index < 8; index++) {
      producer.claim(16, 1);
      positions.push(producer.position);
    }
    producer.publish();
    for (let read = 1; read <= 8; read++) {
      consumer.next();
      consumer.release();
      const passed = positions.map((place) => producer.hasPassed(place));
      expect(passed).toEqual(positions.map((_, index) => index < read));
    }
    expect(positions.at(-1)).toBeLessThan(1024);
  });
});

describe("a reader", () => {
  test("stops at a length that cannot be, and reads nothing any more", () => {
    const length = fc.oneof(
      fc.integer({ min: 41, max: 2_000 }),
      fc.integer({ min: -4_096, max: -1 }).map((below) => below >>> 0),
      fc.integer({ min: 0x7fff_f000, max: 0x8000_1000 }),
    );
    fc.assert(
      fc.property(position, length, (start, bytes) => {
        const { arena, producer, consumer } = ringAt(start);
        const body = producer.claim(32, 7);
        producer.publish();
        arena.u32[(body - RING.HEADER_BYTES) >>> 2] = bytes;
        expect(consumer.next()).toBe(false);
        expect(consumer.isCorrupt).toBe(true);
        producer.claim(8, 8);
        producer.publish();
        expect(consumer.next()).toBe(false);
        expect(consumer.arm()).toBe(true); // it sleeps for good instead of spinning
      }),
    );
  });

  test("never leaves the ring, whatever the writer's memory says", () => {
    const words = fc.array(fc.nat({ max: 0xffff_ffff }), { minLength: 4, maxLength: 64 });
    const published = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(position, words, published, (start, garbage, tail) => {
        const { arena, consumer } = ringAt(start);
        const data = (OFFSET + RING.DATA) >>> 2;
        for (let word = 0; word < CAPACITY_BYTES / 4; word++) {
          arena.u32[data + word] = garbage[word % garbage.length] as number;
        }
        arena.u32[(OFFSET + RING.TAIL) >>> 2] = tail;
        for (let reads = 0; reads < 300 && consumer.next(); reads++) {
          expect(consumer.start).toBeGreaterThanOrEqual(OFFSET + RING.DATA);
          const end = consumer.start + consumer.size;
          expect(end).toBeLessThanOrEqual(OFFSET + RING.DATA + CAPACITY_BYTES);
        }
      }),
    );
  });
});
