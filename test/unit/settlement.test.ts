import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { RecordWriter } from "../../ts/kernel/record-writer.ts";
import { Settlement } from "../../ts/kernel/settlement.ts";

/** One record as `writeSettlement` gets it. */
type Written = [peer: number, channel: number, account: number, bytes: number, messages: number];

const MEBIBYTE = 1 << 20;

/** The only call of the writer that settlement makes; `room` records fit, then it is full. */
class RingOfRecords {
  readonly written: Written[] = [];
  room = Number.POSITIVE_INFINITY;

  writeSettlement(...record: Written): boolean {
    if (this.room <= 0) return false;
    this.room -= 1;
    this.written.push(record);
    return true;
  }
}

function settlement(): { settled: Settlement; ring: RingOfRecords } {
  const ring = new RingOfRecords();
  return { settled: new Settlement(ring as unknown as RecordWriter), ring };
}

describe("settled credit", () => {
  test("is written once a burst and account, when the present code is done", async () => {
    const { settled, ring } = settlement();
    for (let index = 0; index < 100; index++) {
      settled.add(1, 0, 0, 10);
      settled.add(1, 2, 0, 1);
      settled.add(1, 0, 3, 5);
      settled.add(7, 0, 0, 2);
    }
    expect(ring.written).toEqual([]);
    expect(settled.isPending).toBe(true);
    await turn();
    expect(ring.written).toEqual([
      [1, 0, 0, 1_000, 100],
      [1, 2, 0, 100, 100],
      [1, 0, 3, 500, 100],
      [7, 0, 0, 200, 100],
    ]);
    expect(settled.isPending).toBe(false);
  });

  test("of empty messages counts: they cost credit too", async () => {
    const { settled, ring } = settlement();
    settled.add(1, 0, 0, 0);
    await turn();
    expect(ring.written).toEqual([[1, 0, 0, 0, 1]]);
  });

  test("of large messages is written one by one, as each reserved its own", async () => {
    const { settled, ring } = settlement();
    settled.add(1, 0, 0, MEBIBYTE + 1);
    settled.add(1, 0, 0, MEBIBYTE);
    settled.add(1, 0, 0, 2 * MEBIBYTE);
    await turn();
    expect(ring.written).toEqual([
      [1, 0, 0, MEBIBYTE + 1, 1],
      [1, 0, 0, 2 * MEBIBYTE, 1],
      [1, 0, 0, MEBIBYTE, 1],
    ]);
  });

  test("never exceeds what a record can say", () => {
    const { settled, ring } = settlement();
    for (let index = 0; index <= 1_025; index++) settled.add(1, 0, 0, MEBIBYTE);
    settled.flush();
    const bytes = ring.written.map(([, , , sum]) => sum);
    expect(Math.max(...bytes)).toBeLessThan(2 ** 31);
    expect(bytes.reduce((total, sum) => total + sum, 0)).toBe(1_026 * MEBIBYTE);
  });

  test("that found the ring full is written later, exactly once", async () => {
    const { settled, ring } = settlement();
    settled.add(1, 0, 0, 2 * MEBIBYTE);
    settled.add(1, 0, 0, 10);
    settled.add(2, 0, 0, 20);
    ring.room = 2;
    await turn();
    expect(ring.written).toHaveLength(2);
    expect(settled.isPending).toBe(true);
    settled.add(2, 0, 0, 5);
    ring.room = Number.POSITIVE_INFINITY;
    settled.flush();
    settled.flush();
    expect(ring.written).toEqual([
      [1, 0, 0, 2 * MEBIBYTE, 1],
      [1, 0, 0, 10, 1],
      [2, 0, 0, 25, 2],
    ]);
  });

  test("of a link that is gone is forgotten, large messages included", () => {
    const { settled, ring } = settlement();
    settled.add(1, 0, 0, 10);
    settled.add(2, 0, 0, 20);
    settled.add(1, 0, 0, 2 * MEBIBYTE);
    settled.forget(1);
    settled.flush();
    expect(ring.written).toEqual([[2, 0, 0, 20, 1]]);
  });
});
