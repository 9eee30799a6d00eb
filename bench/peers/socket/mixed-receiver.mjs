/** Takes the bulk and writes the pings back, both over the one connection. */

import { connect } from "node:net";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { PING_BYTES } from "../../cluster/latency/round-trips.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { FrameReader, PREFIX_BYTES, writePrefix } from "./frames.mjs";

const READ_BYTES = 256 * 1024;

const { bulkBytes, address } = parameters();
endWithRunner();
const tally = new Tally({ name: "bulk", kind: "bytes", bytes: bulkBytes });

function echo(ping) {
  const frame = Buffer.alloc(PREFIX_BYTES + PING_BYTES);
  writePrefix(frame, 0, PING_BYTES);
  frame.set(ping, PREFIX_BYTES);
  socket.write(frame);
}

const reader = new FrameReader((frame) => {
  if (frame.length === PING_BYTES) echo(frame);
  else if (tally.takeBytes(frame)) report("bulk", tally.result);
});

const socket = connect({
  ...address,
  noDelay: true,
  onread: {
    buffer: new Uint8Array(READ_BYTES),
    callback(length, buffer) {
      try {
        reader.push(buffer, length);
      } catch (error) {
        fail(error);
      }
      return true;
    },
  },
});
socket.on("error", fail);
