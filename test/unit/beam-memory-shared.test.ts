import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { blockBytesFor } from "../../ts/beam/memory/free-blocks.ts";
import { Memory } from "../../ts/beam/memory/memory.ts";
import type { PressureEvent } from "../../ts/beam/memory/pressure.ts";
import { SharedBinaries } from "../../ts/beam/memory/shared-binaries.ts";
import { openSharedBinary, type SharedBinary } from "../../ts/beam/memory/shared-binary.ts";

/** A node that knows of no isolates. */
const NODE = {
  isolates: () => [],
  heapOf: () => expect.fail("there is nobody to ask"),
  metrics: () => ({ boundary: {}, slabs: {}, reserveFreeBytes: 0 }) as never,
};

const coded = (code: string): unknown => expect.objectContaining({ code });

/** Length whose block is a hundredth of {@link BUDGET_BYTES}, the count included. */
const LENGTH = 1_024 - 8;
const BUDGET_BYTES = 100 * 1_024;

/** A pool, and what it says of its pressure. */
function pressed(): { pool: SharedBinaries; events: PressureEvent[] } {
  const pool = new SharedBinaries({ budgetBytes: BUDGET_BYTES, freeBytesMax: BUDGET_BYTES });
  const events: PressureEvent[] = [];
  pool.on("pressure", (event) => events.push(event));
  return { pool, events };
}

const dense = (): Uint8Array => new Uint8Array(randomBytes(LENGTH));

function fill(pool: SharedBinaries, blocks: number, options = {}): SharedBinary[] {
  return Array.from({ length: blocks }, () => pool.put(dense(), options));
}

/** Resolves behind the microtasks that are waiting. */
const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a shared binary", () => {
  test("lives until its last reader releases it", () => {
    const pool = new SharedBinaries();
    const first = pool.put(Uint8Array.of(1, 2, 3));
    const second = first.retain();
    first.release();
    expect(second.bytes()).toEqual(Uint8Array.of(1, 2, 3));
    expect(second.bytes().buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(pool.counts()).toMatchObject({ binaries: 1, usedBytes: 64, freeBytes: 0 });
    second.release();
    expect(pool.counts()).toMatchObject({ binaries: 0, usedBytes: 64, freeBytes: 64 });
  });

  test("is released once by each reader", () => {
    const pool = new SharedBinaries();
    const first = pool.put(Uint8Array.of(1));
    const second = first.retain();
    first.release();
    expect(() => first.release()).toThrow(coded("binary_released"));
    expect(() => first.bytes()).toThrow(coded("binary_released"));
    expect(() => first.retain()).toThrow(coded("binary_released"));
    expect(() => first.ticket()).toThrow(coded("binary_released"));
    expect(first.isReleased).toBe(true);
    expect(second.bytes()).toEqual(Uint8Array.of(1));
  });

  test("opens as often as its ticket says, and the pool learns of the last release", () => {
    const pool = new SharedBinaries();
    const own = pool.put(Uint8Array.of(4, 5));
    const ticket = own.ticket(2);
    own.release();
    expect(pool.counts()).toMatchObject({ binaries: 1, readElsewhere: 1 });
    const [a, b] = [openSharedBinary(ticket), openSharedBinary(ticket)];
    expect(() => openSharedBinary(ticket)).toThrow(coded("binary_released"));
    a.release();
    expect(b.bytes()).toEqual(Uint8Array.of(4, 5));
    const again = openSharedBinary(b.ticket());
    b.release();
    expect(pool.counts().binaries).toBe(1);
    again.release();
    expect(pool.reap()).toBe(1);
    expect(pool.counts()).toMatchObject({ binaries: 0, freeBytes: 64 });
  });

  test("does not open by a ticket of what was in its block before", () => {
    const pool = new SharedBinaries();
    const own = pool.put(Uint8Array.of(1));
    const old = own.ticket();
    openSharedBinary(old).release();
    own.release();
    const next = pool.put(Uint8Array.of(2));
    const ticket = next.ticket();
    expect(ticket.block).toBe(old.block);
    expect(() => openSharedBinary(old)).toThrow(coded("binary_released"));
    expect(openSharedBinary(ticket).bytes()).toEqual(Uint8Array.of(2));
    expect(pool.counts()).toMatchObject({ put: 2, reused: 1 });
  });

  test("is read and released by workers", async () => {
    const pool = new SharedBinaries();
    const bytes = dense();
    const own = pool.put(bytes);
    const ticket = own.ticket(2);
    own.release();
    const module = new URL("../../dist/ts/beam/memory/shared-binary.js", import.meta.url).href;
    const code = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData.module).then(({ openSharedBinary }) => {
        const binary = openSharedBinary(workerData.ticket);
        parentPort.postMessage([binary.bytes().reduce((sum, byte) => sum + byte, 0)]);
        binary.release();
      });
    `;
    const workerData = { module, ticket };
    const workers = [1, 2].map(() => new Worker(code, { eval: true, workerData }));
    const sum = bytes.reduce((total, byte) => total + byte, 0);
    const ended = workers.map((worker) => once(worker, "exit"));
    const sums = await Promise.all(workers.map((worker) => once(worker, "message")));
    expect(sums).toEqual([[[sum]], [[sum]]]);
    await Promise.all(ended);
    expect(pool.counts()).toMatchObject({ binaries: 0, readElsewhere: 0 });
  });

  test("has a limit of readers", () => {
    const pool = new SharedBinaries();
    const own = pool.put(Uint8Array.of(1));
    own.ticket(65_534);
    expect(() => own.ticket()).toThrow(coded("binary_crowded"));
    expect(() => own.ticket(0)).toThrow(coded("invalid_options"));
  });

  test("takes no bytes at all", () => {
    const binary = new SharedBinaries().put(new Uint8Array(0));
    expect(binary.bytes()).toHaveLength(0);
    binary.release();
  });
});

describe("a pool under pressure", () => {
  test("lets free blocks go at 80 percent", async () => {
    const { pool, events } = pressed();
    const held = fill(pool, 70);
    for (const binary of held.splice(0, 30)) binary.release();
    expect(pool.counts()).toMatchObject({ freeBytes: 30 * 1_024, level: 0 });
    pool.put(new Uint8Array(randomBytes(10 * 1_024 - 8)));
    expect(pool.counts()).toMatchObject({ freeBytes: 0, cleared: 30, usedBytes: 50 * 1_024 });
    await told();
    const freedBytes = 30 * 1_024;
    expect(events[0]).toMatchObject({ level: 80, action: "clearFree", affected: 30, freedBytes });
  });

  test("compresses what is cold at 90 percent, and gives it back whole", async () => {
    const { pool, events } = pressed();
    const text = new Uint8Array(LENGTH).fill(65);
    const cold = pool.put(text);
    const elsewhere = pool.put(text);
    const ticket = elsewhere.ticket();
    const rest = fill(pool, 87);
    expect(pool.counts()).toMatchObject({ compressed: 0, level: 80 });
    fill(pool, 1);
    expect(pool.counts()).toMatchObject({ compressed: 1 });
    const { packedBytes } = pool.counts();
    expect(packedBytes).toBeLessThan(50);
    await told();
    expect(events.at(-1)).toMatchObject({ level: 90, action: "compress", affected: 1 });
    // No room to spare: a copy.
    expect(cold.bytes()).toEqual(text);
    expect(pool.counts()).toMatchObject({ unpackedCopies: 1, restored: 0, packedBytes });
    for (const binary of rest.splice(0, 40)) binary.release();
    pool.put(new Uint8Array(30 * 1_024)).release();
    expect(cold.bytes()).toEqual(text);
    expect(openSharedBinary(ticket).bytes()).toEqual(text);
  });

  test("brings a compressed binary back for readers elsewhere", () => {
    const { pool } = pressed();
    const text = new Uint8Array(LENGTH).fill(66);
    const cold = pool.put(text);
    const rest = fill(pool, 90);
    expect(pool.counts().compressed).toBe(1);
    for (const binary of rest.splice(0, 20)) binary.release();
    const reader = openSharedBinary(cold.ticket());
    expect(reader.bytes()).toEqual(text);
    expect(pool.counts()).toMatchObject({ restored: 1, packedBytes: 0 });
    expect(cold.bytes().buffer).toBe(reader.bytes().buffer);
  });

  test("gives up what is evictable at 95 percent, what was read longest ago first", async () => {
    const { pool, events } = pressed();
    const [first, second] = fill(pool, 2, { evictable: true }) as [SharedBinary, SharedBinary];
    fill(pool, 92);
    first.bytes();
    fill(pool, 1);
    expect(() => second.bytes()).toThrow(coded("binary_evicted"));
    expect(first.bytes()).toHaveLength(LENGTH);
    second.release();
    expect(pool.counts()).toMatchObject({ evicted: 1, binaries: 94, level: 90 });
    await told();
    const freedBytes = 1_024;
    expect(events.at(-1)).toMatchObject({ level: 95, action: "evict", affected: 1, freedBytes });
  });

  test("gives up nothing that is read elsewhere", () => {
    const { pool } = pressed();
    const [lent] = fill(pool, 1, { evictable: true }) as [SharedBinary];
    const ticket = lent.ticket();
    fill(pool, 96);
    expect(pool.counts()).toMatchObject({ evicted: 0, level: 95 });
    expect(openSharedBinary(ticket).bytes()).toHaveLength(LENGTH);
  });

  test("refuses at 98 percent, and says when it is over", async () => {
    const { pool, events } = pressed();
    const held = fill(pool, 97);
    expect(() => fill(pool, 1)).toThrow(coded("binaries_full"));
    expect(() => fill(pool, 1)).toThrow(coded("binaries_full"));
    expect(pool.counts()).toMatchObject({ binaries: 97, refused: 2, usedBytes: 97 * 1_024 });
    await told();
    const steps = events.map(({ level, action }) => `${level} ${action}`);
    expect(steps).toEqual(["80 clearFree", "90 compress", "95 evict", "98 refuse"]);
    // A block that is free already needs no room.
    held.pop()?.release();
    held.push(...fill(pool, 1));
    for (const binary of held.splice(0)) binary.release();
    fill(pool, 1);
    expect(() => pool.put(new Uint8Array(BUDGET_BYTES))).toThrow(coded("binaries_full"));
    expect(pool.counts()).toMatchObject({ binaries: 1, refused: 3, evicted: 0 });
  });

  test("tells that the pressure is over", async () => {
    const pool = new SharedBinaries({ budgetBytes: BUDGET_BYTES, freeBytesMax: 0 });
    const levels: number[] = [];
    pool.on("pressure", ({ level }) => levels.push(level));
    const held = fill(pool, 81);
    for (const binary of held) binary.release();
    await told();
    expect(levels).toEqual([80, 0]);
    expect(pool.counts()).toMatchObject({ usedBytes: 0, level: 0 });
  });

  test("keeps its readers' bytes and its budget whatever comes", () => {
    const seed = randomInt(2 ** 31);
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const pool = new SharedBinaries({ budgetBytes: 200_000, freeBytesMax: 40_000 });
    const held: { binary: SharedBinary; fill: number }[] = [];
    const note = (turn: number): string => `seed ${seed}, turn ${turn}`;
    for (let turn = 0; turn < 3_000; turn++) {
      const at = next(held.length + 1);
      const one = held[at];
      if (one === undefined || next(3) === 0) {
        const byte = next(256);
        try {
          const evictable = next(4) === 0;
          const bytes = new Uint8Array(next(6_000)).fill(byte);
          held.push({ binary: pool.put(bytes, { evictable }), fill: byte });
        } catch (thrown) {
          expect(thrown, note(turn)).toMatchObject({ code: "binaries_full" });
        }
      } else if (next(2) === 0) {
        held.splice(at, 1);
        one.binary.release();
      } else {
        held.push({ fill: one.fill, binary: readerOf(one.binary, next(2) === 0) ?? one.binary });
        if (held.at(-1)?.binary === one.binary) held.pop();
      }
      expect(pool.counts().usedBytes, note(turn)).toBeLessThan(0.98 * 200_000);
    }
    for (const { binary, fill } of held) {
      const bytes = bytesIfThere(binary);
      expect(bytes?.every((byte) => byte === fill) ?? true, note(-1)).toBe(true);
      binary.release();
    }
    const { usedBytes, freeBytes, binaries } = pool.counts();
    expect({ usedBytes, binaries }, note(-1)).toEqual({ usedBytes: freeBytes, binaries: 0 });
  });
});

describe("a pool that closes", () => {
  test("takes nothing any more; readers elsewhere keep what they have", () => {
    const pool = new SharedBinaries();
    const own = pool.put(Uint8Array.of(9));
    const reader = openSharedBinary(own.ticket());
    pool.close();
    expect(() => pool.put(Uint8Array.of(1))).toThrow(coded("node_left"));
    expect(() => own.bytes()).toThrow(coded("binary_released"));
    own.release();
    expect(reader.bytes()).toEqual(Uint8Array.of(9));
    reader.release();
    expect(pool.counts()).toMatchObject({ usedBytes: 0, binaries: 0 });
  });

  test("is not kept, nor listed, by the isolate that it is of", async () => {
    const memory = new Memory(NODE);
    const [closed, open] = [memory.sharedBinaries(), memory.sharedBinaries({ budgetBytes: 7_000 })];
    closed.close();
    closed.close();
    const { pools } = await memory.analyzeMemory();
    expect(pools.map(({ budgetBytes }) => budgetBytes)).toEqual([7_000]);
    open.close();
    expect((await memory.analyzeMemory()).pools).toEqual([]);
  });

  test("is closed with its isolate, which makes none afterwards", async () => {
    const memory = new Memory(NODE);
    const pool = memory.sharedBinaries();
    memory.close();
    expect(() => pool.put(Uint8Array.of(1))).toThrow(coded("node_left"));
    expect(() => memory.sharedBinaries()).toThrow(coded("node_left"));
    await expect(memory.analyzeMemory()).rejects.toThrow(coded("node_left"));
  });
});

test("a pool takes bytes and known options only", () => {
  const pool = new SharedBinaries();
  expect(() => pool.put("text" as never)).toThrow(coded("invalid_options"));
  const odd = { evictabel: true };
  expect(() => pool.put(Uint8Array.of(1), odd as never)).toThrow(/did you mean 'evictable'/);
  expect(() => new SharedBinaries({ budget: 1 } as never)).toThrow(coded("invalid_options"));
  expect(pool.counts()).toMatchObject({ put: 0, usedBytes: 0 });
});

test("a block has at most a quarter of unused bytes, and few sizes", () => {
  const sizes = new Set<number>();
  for (let length = 57; length < 100_000; length++) {
    const size = blockBytesFor(length);
    const isRight = size >= length + 8 && size < 1.25 * (length + 8);
    if (!isRight) expect.fail(`${length} bytes get a block of ${size}`);
    sizes.add(size);
  }
  expect(sizes.size).toBeLessThan(50);
});

/** Another reader of a binary, by a ticket or of the same isolate; undefined where it is gone. */
function readerOf(binary: SharedBinary, isByTicket: boolean): SharedBinary | undefined {
  try {
    return isByTicket ? openSharedBinary(binary.ticket()) : binary.retain();
  } catch (thrown) {
    expect(["binary_evicted", "binaries_full"]).toContain((thrown as { code: string }).code);
    return undefined;
  }
}

function bytesIfThere(binary: SharedBinary): Uint8Array | undefined {
  try {
    return binary.bytes();
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "binary_evicted" });
    return undefined;
  }
}
