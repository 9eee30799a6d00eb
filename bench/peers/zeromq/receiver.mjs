/** The pull socket of zeromq.js: an awaited `receive` a message, as its own manual shows. */

import { Pull } from "zeromq";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { RecordReader } from "../records.mjs";

async function main() {
  const { payload, messagesQueuedMax } = parameters();
  endWithRunner();
  const socket = new Pull({ receiveHighWaterMark: messagesQueuedMax });
  await socket.bind("tcp://127.0.0.1:*");
  report("listening", { address: socket.lastEndpoint });
  const tally = new Tally(payload);
  const records = new RecordReader();
  for (;;) {
    const [message] = await socket.receive();
    const isLast =
      payload.kind === "bytes"
        ? tally.takeBytes(message)
        : tally.takeObject(records.unpack(message));
    if (isLast) break;
  }
  report("result", tally.result);
}

main().catch(fail);
