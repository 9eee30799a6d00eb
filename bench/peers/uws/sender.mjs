/**
 * uWebSockets.js as the sender, corked as its manual advises: a run of messages is one system call.
 * It pauses when a message meets back-pressure and goes on when the socket has drained.
 */

import { createRequire } from "node:module";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createSource, MARK, Pace } from "../../cluster/stream.mjs";
import { RecordWriter } from "../records.mjs";

const uws = createRequire(import.meta.url)("uWebSockets.js");

const QUEUE_BYTES = 256 * 1024;
const CORKED_MESSAGES_MAX = 256;
/** Beyond, messages would be dropped: more than the queue and one message of 16 MiB. */
const BACKPRESSURE_BYTES_MAX = 32 * 1024 * 1024;

/** uWebSockets.js copies what it cannot send at once, so messages may share one buffer. */
function createMessages({ payload, timing }) {
  const contentOf = createSource(payload);
  const records = new RecordWriter();
  const pace = new Pace(timing, payload);
  let sequence = 0;
  return () => {
    const mark = pace.next();
    const value = contentOf(sequence, mark);
    sequence += 1;
    return { bytes: payload.kind === "bytes" ? value : records.pack(value), mark };
  };
}

const plan = parameters();
endWithRunner();
const next = createMessages(plan);
let isOver = false;

function pump(socket) {
  let isWritable = true;
  socket.cork(() => {
    for (let count = 0; count < CORKED_MESSAGES_MAX && isWritable && !isOver; count += 1) {
      const { bytes, mark } = next();
      socket.send(bytes, true);
      isWritable = socket.getBufferedAmount() < QUEUE_BYTES;
      isOver = mark === MARK.last;
    }
  });
  if (isWritable && !isOver) setImmediate(pump, socket);
}

uws
  .App()
  .ws("/*", {
    compression: uws.DISABLED,
    maxBackpressure: BACKPRESSURE_BYTES_MAX,
    open: pump,
    // Not within the callback: what is queued there is not waited for.
    drain: (socket) => {
      if (!isOver) setImmediate(pump, socket);
    },
  })
  .listen("127.0.0.1", 0, (listener) => {
    if (!listener) fail("cannot listen");
    report("listening", { address: `ws://127.0.0.1:${uws.us_socket_local_port(listener)}` });
  });
