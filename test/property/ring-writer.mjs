// The writing thread of ring-threads.test.ts: records of random sizes, published in random bursts.
import { parentPort, workerData } from "node:worker_threads";
import { Arena } from "../../dist/ts/kernel/arena.js";
import { RingProducer } from "../../dist/ts/kernel/ring.js";

const READER_BELL = 0;
const WRITER_BELL = 1;
const LOST_AFTER_MS = 20_000;

const { memory, bells, capacityBytes, records, seed } = workerData;
const arena = new Arena(memory, 0);
const producer = new RingProducer(arena, 0, capacityBytes);

/** A generator of its own, so that a failure can be run again: xorshift32. */
let state = seed;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

function publish() {
  if (!producer.publish()) return;
  Atomics.store(bells, READER_BELL, 1);
  Atomics.notify(bells, READER_BELL);
}

let waits = 0;

/** Takes room for a record; sleeps while the ring is full. */
function claim(bytes, tag) {
  for (;;) {
    const start = producer.claim(bytes, tag);
    if (start >= 0) return start;
    publish();
    if (!producer.awaitSpace(2 * (bytes + 16))) continue;
    waits += 1;
    if (Atomics.wait(bells, WRITER_BELL, 0, LOST_AFTER_MS) === "timed-out") {
      throw new Error("the writer was not woken");
    }
    Atomics.store(bells, WRITER_BELL, 0);
  }
}

let checksum = 0;
for (let written = 0; written < records; written += 1) {
  // Mostly small; now and then as large as a quarter of the ring, so that padding is long.
  const bytes = random(500) === 0 ? random(capacityBytes / 4) : random(48);
  const start = claim(bytes, written);
  for (let at = start; at < start + bytes; at += 1) {
    const byte = (at * 7 + written) & 0xff;
    arena.u8[at] = byte;
    checksum = (Math.imul(checksum, 31) + byte) | 0;
  }
  if (random(8) === 0) publish();
}
publish();
parentPort.postMessage({ checksum, waits });
