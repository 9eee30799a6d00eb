/** Pings over a net.Socket without delay; a ping is small enough to come whole. */

import { connect } from "node:net";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { startPinging } from "../../cluster/latency/round-trips.mjs";

const { address, timing } = parameters();
endWithRunner();
let onPong;
const socket = connect({
  ...address,
  noDelay: true,
  onread: {
    buffer: Buffer.alloc(4096),
    callback(length, buffer) {
      onPong(buffer.subarray(0, length));
      return true;
    },
  },
});
socket.on("error", fail);
socket.on("connect", () => {
  onPong = startPinging(timing, (ping) => socket.write(ping.slice()));
});
