/** Sends through hand-made batches: the bar that plain JavaScript sets. */

import { endWithRunner, fail, parameters } from "../../child.mjs";
import {
  createBytes,
  createSource as createCopiedSource,
  createObject,
  stampBytes,
} from "../../cluster/stream.mjs";
import { RecordWriter } from "../records.mjs";
import { BatchingWriter, GATHERED_FROM_BYTES } from "./batching-writer.mjs";
import { acceptOne } from "./listen.mjs";

/** Several batches in the socket's queue keep the system busy while JavaScript fills the next. */
const QUEUE_BYTES = 256 * 1024;

/**
 * @param {import("../../cluster/stream.mjs").Payload} payload
 * @returns {(sequence: number, mark: number) => Uint8Array}
 */
function createSource(payload) {
  if (payload.kind === "object") {
    const records = new RecordWriter();
    return (sequence, mark) => records.pack(createObject(sequence, mark));
  }
  if (payload.bytes < GATHERED_FROM_BYTES) return createCopiedSource(payload);
  // As many as the queue holds take turns, so that none changes before it is written.
  const turns = Math.ceil(QUEUE_BYTES / payload.bytes) + 2;
  const pool = Array.from({ length: turns }, () => createBytes(payload.bytes));
  return (sequence, mark) => {
    const bytes = pool[sequence % turns];
    stampBytes(bytes, sequence, mark);
    return bytes;
  };
}

async function main() {
  const { payload, timing } = parameters();
  endWithRunner();
  const socket = await acceptOne({ highWaterMark: QUEUE_BYTES });
  socket.on("error", fail);
  const writer = new BatchingWriter(socket);
  await writer.sendStream(payload, createSource(payload), timing);
}

main().catch(fail);
