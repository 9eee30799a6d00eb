/**
 * The best hand-made batching over net.Socket that we know: small messages are copied into batches,
 * large ones are gathered as they are (`cork` makes one vectored write of them), and either way the
 * system is asked once for 64 KiB.
 */

import { once } from "node:events";

import { MARK, Pace } from "../../cluster/stream.mjs";
import { PREFIX_BYTES, writePrefix } from "./frames.mjs";

/** Bytes of one write; larger ones gained nothing on loopback. */
const BATCH_BYTES = 64 * 1024;

/** Messages from this size on are not copied: they must stay as they are until they are written. */
export const GATHERED_FROM_BYTES = 1024;

/** Joins messages of one connection into few writes. */
export class BatchingWriter {
  #socket;
  /** Copied messages, and the prefixes of gathered ones. */
  #batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #batchBytes = 0;
  /** Where the part of the batch begins that the socket has not been given yet. */
  #unwrittenFrom = 0;
  /** Bytes the socket holds back because it is corked. */
  #corkedBytes = 0;
  #isFlushDue = false;
  #free = [];
  #isWritable = true;

  /** @param {import("node:net").Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * Takes a message; see {@link GATHERED_FROM_BYTES} for whether a copy.
   *
   * @param {Uint8Array} bytes
   * @returns {boolean} false asks the sender to await `drained` before the next message
   */
  send(bytes) {
    const { length } = bytes;
    const isGathered = length >= GATHERED_FROM_BYTES;
    const needed = isGathered ? PREFIX_BYTES : PREFIX_BYTES + length;
    if (this.#batchBytes + needed > BATCH_BYTES) this.#replaceBatch();
    if (!this.#isFlushDue) this.#flushLater();
    writePrefix(this.#batch, this.#batchBytes, length);
    if (isGathered) {
      this.#batchBytes += PREFIX_BYTES;
      this.#gather(bytes);
    } else {
      this.#batch.set(bytes, this.#batchBytes + PREFIX_BYTES);
      this.#batchBytes += needed;
    }
    return this.#isWritable;
  }

  /** Resolves when the socket takes more. */
  async drained() {
    if (this.#isWritable) return;
    this.flush();
    await once(this.#socket, "drain");
    this.#isWritable = true;
  }

  /**
   * Sends a stream until its time is over.
   *
   * @param {import("../../cluster/stream.mjs").Payload} payload
   * @param {(sequence: number, mark: number) => Uint8Array} messageOf
   * @param {{ warmMs: number, measureMs: number }} timing
   */
  async sendStream(payload, messageOf, timing) {
    const pace = new Pace(timing, payload);
    for (let sequence = 0; ; sequence += 1) {
      const mark = pace.next();
      const writable = this.send(messageOf(sequence, mark));
      if (mark === MARK.last) return;
      if (!writable) await this.drained();
    }
  }

  /** Writes what has gathered so far. */
  flush() {
    this.#writeBatched();
    if (this.#corkedBytes === 0) return;
    this.#corkedBytes = 0;
    this.#socket.uncork();
  }

  /** What does not fill a batch soon goes out at the end of this turn of the event loop. */
  #flushLater() {
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  #gather(bytes) {
    if (this.#corkedBytes === 0) this.#socket.cork();
    this.#corkedBytes += bytes.length;
    this.#writeBatched();
    this.#isWritable = this.#socket.write(bytes);
    if (this.#corkedBytes >= BATCH_BYTES) this.flush();
  }

  /** Gives the socket the unwritten part of the batch; `onWritten` may use its memory again. */
  #writeBatched(onWritten) {
    const from = this.#unwrittenFrom;
    if (from === this.#batchBytes && onWritten === undefined) return;
    this.#unwrittenFrom = this.#batchBytes;
    this.#isWritable = this.#socket.write(this.#batch.subarray(from, this.#batchBytes), onWritten);
  }

  #replaceBatch() {
    const batch = this.#batch;
    // Writes end in their order, so the last one of a batch speaks for those before it.
    this.#writeBatched(() => this.#free.push(batch));
    this.flush();
    this.#batch = this.#free.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#batchBytes = 0;
    this.#unwrittenFrom = 0;
  }
}
