/** The push socket of zeromq.js: an awaited `send` a message, as its own manual shows. */

import { Push } from "zeromq";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { MARK, Pace } from "../../cluster/stream.mjs";
import { createOwnedSource } from "../owned-bytes.mjs";

async function main() {
  const { payload, timing, address, messagesQueuedMax } = parameters();
  endWithRunner();
  const socket = new Push({ sendHighWaterMark: messagesQueuedMax });
  socket.connect(address);
  // Twice the queue: what has left the queue may still be on its way through the encoder.
  const messageOf = createOwnedSource(payload, 2 * messagesQueuedMax + 16);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    await socket.send(messageOf(sequence, mark));
    if (mark === MARK.last) return;
  }
}

main().catch(fail);
