/**
 * `child_process` IPC: forks its receiver, which writes its lines to the same standard output.
 * Bytes travel as base64 in JSON, where an array of numbers would be several times as long, and as
 * they are in structured clones.
 */

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { createSource, MARK, Pace } from "../../cluster/stream.mjs";

const RECEIVER = fileURLToPath(new URL("receiver.mjs", import.meta.url));

async function main() {
  const { payload, timing, serialization } = parameters();
  endWithRunner();
  const plan = JSON.stringify({ payload, serialization });
  const child = fork(RECEIVER, [plan], { serialization });
  child.on("exit", () => fail("the receiver is gone"));
  await new Promise((resolve) => child.once("message", resolve));
  const bytesOf = createSource(payload);
  const isText = payload.kind === "bytes" && serialization === "json";
  const messageOf = isText
    ? (sequence, mark) => Buffer.from(bytesOf(sequence, mark).buffer).toString("base64")
    : bytesOf;
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    let onWritten;
    const written = new Promise((resolve) => {
      onWritten = resolve;
    });
    // False: the channel's queue is above its limit; the callback says when this one is written.
    const accepted = child.send(messageOf(sequence, mark), onWritten);
    if (mark === MARK.last) return;
    if (!accepted) await written;
  }
}

main().catch(fail);
