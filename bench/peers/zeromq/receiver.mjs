/** The pull socket of zeromq.js: an awaited `receive` a message, as its own manual shows. */

import { Pull } from "zeromq";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { createTake } from "../owned-bytes.mjs";

async function main() {
  const { payload, messagesQueuedMax, endpoint } = parameters();
  endWithRunner();
  const socket = new Pull({ receiveHighWaterMark: messagesQueuedMax });
  await socket.bind(endpoint);
  report("listening", { address: socket.lastEndpoint });
  const tally = new Tally(payload);
  const take = createTake(payload, tally);
  for (;;) {
    const [message] = await socket.receive();
    if (take(message)) break;
  }
  report("result", tally.result);
}

main().catch(fail);
