/** The plain way to send over net.Socket: a `write` for each message, a wait when it says so. */

import { once } from "node:events";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { createBytes, createObject, MARK, Pace, stampBytes } from "../../cluster/stream.mjs";
import { RecordWriter } from "../records.mjs";
import { PREFIX_BYTES, writePrefix } from "./frames.mjs";
import { acceptOne } from "./listen.mjs";

/**
 * From this size on, frames come from a small pool instead of a fresh allocation each: a socket
 * holds at most one of them before it asks to wait.
 */
const POOL_FROM_BYTES = 64 * 1024;
const POOL_FRAMES = 4;

/**
 * How the frame of message number `sequence` is made.
 *
 * @param {import("../../cluster/stream.mjs").Payload} payload
 * @returns {(sequence: number, mark: number) => Buffer}
 */
function createFramer(payload) {
  if (payload.kind === "object") {
    const records = new RecordWriter();
    return (sequence, mark) => {
      const frame = records.pack(createObject(sequence, mark), PREFIX_BYTES);
      writePrefix(frame, 0, frame.length - PREFIX_BYTES);
      return frame;
    };
  }
  const template = createBytes(payload.bytes);
  if (payload.bytes >= POOL_FROM_BYTES) {
    const pool = Array.from({ length: POOL_FRAMES }, () => {
      const frame = Buffer.allocUnsafeSlow(PREFIX_BYTES + payload.bytes);
      writePrefix(frame, 0, payload.bytes);
      frame.set(template, PREFIX_BYTES);
      return { frame, body: frame.subarray(PREFIX_BYTES) };
    });
    return (sequence, mark) => {
      const { frame, body } = pool[sequence % POOL_FRAMES];
      stampBytes(body, sequence, mark);
      return frame;
    };
  }
  return (sequence, mark) => {
    stampBytes(template, sequence, mark);
    const frame = Buffer.allocUnsafe(PREFIX_BYTES + payload.bytes);
    writePrefix(frame, 0, payload.bytes);
    frame.set(template, PREFIX_BYTES);
    return frame;
  };
}

async function main() {
  const { payload, timing } = parameters();
  endWithRunner();
  const socket = await acceptOne();
  socket.on("error", fail);
  const frameOf = createFramer(payload);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    const accepted = socket.write(frameOf(sequence, mark));
    if (mark === MARK.last) return;
    if (!accepted) await once(socket, "drain");
  }
}

main().catch(fail);
