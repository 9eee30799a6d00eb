/** The push socket of zeromq.js: an awaited `send` a message, as its own manual shows. */

import { Push } from "zeromq";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { createBytes, createObject, MARK, Pace, stampBytes } from "../../cluster/stream.mjs";
import { RecordWriter } from "../records.mjs";

/** From this size on zeromq.js sends a message in place, so those rotate through a pool. */
const POOL_FROM_BYTES = 64 * 1024;

/**
 * @param {import("../../cluster/stream.mjs").Payload} payload
 * @param {number} messagesQueuedMax
 * @returns {(sequence: number, mark: number) => Uint8Array}
 */
function createSource(payload, messagesQueuedMax) {
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
  // Twice the queue: what has left the queue may still be on its way through the encoder.
  const turns = 2 * messagesQueuedMax + 16;
  const pool = Array.from({ length: turns }, () => template.slice());
  return (sequence, mark) => {
    const bytes = pool[sequence % turns];
    stampBytes(bytes, sequence, mark);
    return bytes;
  };
}

async function main() {
  const { payload, timing, address, messagesQueuedMax } = parameters();
  endWithRunner();
  const socket = new Push({ sendHighWaterMark: messagesQueuedMax });
  socket.connect(address);
  const messageOf = createSource(payload, messagesQueuedMax);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    await socket.send(messageOf(sequence, mark));
    if (mark === MARK.last) return;
  }
}

main().catch(fail);
