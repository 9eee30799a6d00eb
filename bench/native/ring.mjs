// JavaScript's half of the limit program's ring. Fixed-size records without framing: this is the
// ceiling that a real ring with headers, channels and credit is held against, not a ring to use.

/** Offsets from the start of the ring. Unit: bytes. pipe.h has the same. */
const TAIL = 0;
const HEAD = 128;
const READER_ASLEEP = 256;
const WRITER_ASLEEP = 384;
const DATA = 512;

/** What the last byte of every record holds. */
export const LAST_BYTE = 0x5a;

/** Records published by one store of the tail. More adds delay, fewer add atomics. */
const BATCH_RECORDS = 64;

/**
 * Memory for a ring of `capacityBytes`, aligned as the native half demands.
 *
 * @param {Pick<import("./build.mjs").Yardstick, "bytesToAlignment">} yardstick
 * @param {number} capacityBytes a power of two
 * @returns {Uint8Array<SharedArrayBuffer>}
 */
export function allocateRing(yardstick, capacityBytes) {
  const memory = new SharedArrayBuffer(capacityBytes + DATA + 128);
  const offset = yardstick.bytesToAlignment(new Uint8Array(memory));
  return new Uint8Array(memory, offset, capacityBytes + DATA);
}

/** The words and the data of one ring, as both halves see them. */
class RingHalf {
  /**
   * @param {Uint8Array<SharedArrayBuffer>} ring from {@link allocateRing}
   * @param {number} recordBytes a power of two, so that no record wraps
   * @param {() => void} wake called when the native thread sleeps
   */
  constructor(ring, recordBytes, wake) {
    this.words = new Int32Array(ring.buffer, ring.byteOffset, ring.byteLength / 4);
    this.bytes = new Uint8Array(ring.buffer, ring.byteOffset + DATA, ring.byteLength - DATA);
    this.memory = ring.buffer;
    this.start = ring.byteOffset + DATA;
    this.mask = this.bytes.byteLength - 1;
    this.recordBytes = recordBytes;
    this.wake = wake;
    this.position = 0;
  }

  /**
   * Publishes the own position and wakes the native thread if it sleeps.
   *
   * @param {number} positionOffset
   * @param {number} flagOffset
   */
  publish(positionOffset, flagOffset) {
    Atomics.store(this.words, positionOffset / 4, this.position | 0);
    if (Atomics.exchange(this.words, flagOffset / 4, 0) === 1) this.wake();
  }
}

/** Fills a ring with numbered records. */
export class RingWriter extends RingHalf {
  sequence = 0;

  /**
   * Writes copies of `payload`, each numbered in its first four bytes, until the ring is full or
   * `batchesMax` batches are out. True: it was full, and the doorbell will ring for room.
   *
   * @param {Uint8Array} payload of `recordBytes`
   * @param {number} batchesMax
   */
  fill(payload, batchesMax) {
    const { words, bytes, recordBytes, mask } = this;
    for (let batch = 0; batch < batchesMax; batch += 1) {
      let room = this.#room();
      if (room === 0) {
        Atomics.exchange(words, WRITER_ASLEEP / 4, 1);
        room = this.#room();
        if (room === 0) return true;
      }
      for (let left = Math.min(room, BATCH_RECORDS); left > 0; left -= 1) {
        const at = this.position & mask;
        bytes.set(payload, at);
        words[(at + DATA) >> 2] = this.sequence;
        this.sequence = (this.sequence + 1) | 0;
        this.position = (this.position + recordBytes) >>> 0;
      }
      this.publish(TAIL, READER_ASLEEP);
    }
    return false;
  }

  /** Whole records that fit now. */
  #room() {
    const used = (this.position - Atomics.load(this.words, HEAD / 4)) >>> 0;
    return Math.floor((this.mask + 1 - used) / this.recordBytes);
  }
}

/** Takes numbered records out of a ring and checks their order. */
export class RingReader extends RingHalf {
  records = 0;

  /**
   * Reads until the ring is empty or `batchesMax` batches are in, with a fresh view on each record.
   * True: it was empty, and the doorbell will ring for more.
   *
   * @param {number} batchesMax
   */
  drain(batchesMax) {
    const { words, memory, start, recordBytes, mask } = this;
    for (let batch = 0; batch < batchesMax; batch += 1) {
      let ready = this.#ready();
      if (ready === 0) {
        Atomics.exchange(words, READER_ASLEEP / 4, 1);
        ready = this.#ready();
        if (ready === 0) return true;
      }
      for (let left = Math.min(ready, BATCH_RECORDS); left > 0; left -= 1) {
        const at = this.position & mask;
        const view = new Uint8Array(memory, start + at, recordBytes);
        const isNext = words[(at + DATA) >> 2] === (this.records | 0);
        if (!isNext || view[recordBytes - 1] !== LAST_BYTE) {
          throw new Error(`record ${this.records} is damaged or out of order`);
        }
        this.records += 1;
        this.position = (this.position + recordBytes) >>> 0;
      }
      this.publish(HEAD, WRITER_ASLEEP);
    }
    return false;
  }

  /** Whole records that are in the ring now. */
  #ready() {
    const used = (Atomics.load(this.words, TAIL / 4) - this.position) >>> 0;
    return Math.floor(used / this.recordBytes);
  }
}
