/**
 * Messages for a transport that keeps what it was given until it is written, and the other half:
 * how a message of bytes is taken.
 */

import { createBytes, createObject, stampBytes } from "../cluster/stream.mjs";
import { RecordReader, RecordWriter } from "./records.mjs";

/** From this size on messages rotate through a pool: a fresh buffer each would measure the heap. */
const POOL_FROM_BYTES = 64 * 1024;

/**
 * Makes the bytes of message number `sequence`; they stay as they are for `turns` messages.
 *
 * @param {import("../cluster/stream.mjs").Payload} payload
 * @param {number} turns more than the transport can hold
 * @returns {(sequence: number, mark: number) => Uint8Array}
 */
export function createOwnedSource(payload, turns) {
  if (payload.kind === "object") {
    const records = new RecordWriter();
    return (sequence, mark) => records.pack(createObject(sequence, mark));
  }
  const template = createBytes(payload.bytes);
  if (payload.bytes < POOL_FROM_BYTES) {
    return (sequence, mark) => {
      stampBytes(template, sequence, mark);
      const bytes = Buffer.allocUnsafe(payload.bytes);
      bytes.set(template);
      return bytes;
    };
  }
  const pool = Array.from({ length: turns }, () => Buffer.from(template));
  return (sequence, mark) => {
    const bytes = pool[sequence % turns];
    stampBytes(bytes, sequence, mark);
    return bytes;
  };
}

/**
 * Takes the bytes of one message into a tally; true with the last one.
 *
 * @param {import("../cluster/stream.mjs").Payload} payload
 * @param {import("../cluster/stream.mjs").Tally} tally
 * @returns {(bytes: Uint8Array) => boolean}
 */
export function createTake(payload, tally) {
  if (payload.kind === "bytes") return (bytes) => tally.takeBytes(bytes);
  const records = new RecordReader();
  return (bytes) => tally.takeObject(records.unpack(bytes));
}
