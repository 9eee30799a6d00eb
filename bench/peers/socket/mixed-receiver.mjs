/** Takes the bulk and writes the pings back, both over the one connection. */

import { endWithRunner, parameters, report } from "../../child.mjs";
import { PING_BYTES } from "../../cluster/latency/round-trips.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { dialFrames } from "./dial.mjs";
import { PREFIX_BYTES, writePrefix } from "./frames.mjs";

const { bulkBytes, address } = parameters();
endWithRunner();
const tally = new Tally({ name: "bulk", kind: "bytes", bytes: bulkBytes });

function echo(ping) {
  const frame = Buffer.alloc(PREFIX_BYTES + PING_BYTES);
  writePrefix(frame, 0, PING_BYTES);
  frame.set(ping, PREFIX_BYTES);
  socket.write(frame);
}

const socket = dialFrames({ ...address, noDelay: true }, (frame) => {
  if (frame.length === PING_BYTES) echo(frame);
  else if (tally.takeBytes(frame)) report("bulk", tally.result);
});
