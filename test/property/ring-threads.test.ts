import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { Arena } from "../../ts/kernel/arena.ts";
import { blockBytes, RingConsumer } from "../../ts/kernel/ring.ts";

const WRITER = fileURLToPath(new URL("./ring-writer.mjs", import.meta.url));
const CAPACITY_BYTES = 16 << 10;
const RECORDS = 1_000_000;
const SEED = 20_261_123;
/** Where the doorbells lie in memory of their own: one for the reader, one for the writer. */
const READER_BELL = 0;
const WRITER_BELL = 1;
/** A bell that does not ring for so long was lost. Unit: ms. */
const LOST_AFTER_MS = 20_000;

test(`${RECORDS} records pass between two threads that sleep and ring, each once`, async () => {
  process.stdout.write(`ring-threads: seed ${SEED}\n`);
  const memory = new SharedArrayBuffer(blockBytes(CAPACITY_BYTES));
  const bells = new Int32Array(new SharedArrayBuffer(8));
  const arena = new Arena(memory, 0);
  const consumer = new RingConsumer(arena, 0, CAPACITY_BYTES);
  const data = { memory, bells, capacityBytes: CAPACITY_BYTES, records: RECORDS, seed: SEED };
  const worker = new Worker(WRITER, { workerData: data });
  let read = 0;
  let checksum = 0;
  let sleeps = 0;
  let misplaced = 0;
  while (read < RECORDS) {
    while (consumer.next()) {
      if (consumer.tag !== read) misplaced++;
      for (let at = consumer.start; at < consumer.start + consumer.size; at++) {
        checksum = (Math.imul(checksum, 31) + (arena.u8[at] as number)) | 0;
      }
      read++;
      if (consumer.unreleasedBytes >= CAPACITY_BYTES / 4) giveBack();
    }
    giveBack();
    if (read < RECORDS && consumer.arm()) {
      sleeps++;
      // "not-equal" means that it rang between the announcement and here.
      const heard = Atomics.wait(bells, READER_BELL, 0, LOST_AFTER_MS);
      if (heard === "timed-out") break;
      Atomics.store(bells, READER_BELL, 0);
    }
  }
  const [written] = (await once(worker, "message")) as [{ checksum: number; waits: number }];
  expect({ read, misplaced, isCorrupt: consumer.isCorrupt }).toEqual({
    read: RECORDS,
    misplaced: 0,
    isCorrupt: false,
  });
  expect(checksum).toBe(written.checksum);
  // Both kinds of sleep took place, else the test would have shown nothing about them.
  expect(sleeps).toBeGreaterThan(0);
  expect(written.waits).toBeGreaterThan(0);

  function giveBack(): void {
    if (!consumer.release()) return;
    Atomics.store(bells, WRITER_BELL, 1);
    Atomics.notify(bells, WRITER_BELL);
  }
});
