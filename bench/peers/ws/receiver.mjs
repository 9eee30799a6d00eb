/** A ws client that takes messages as Buffers; it serves the ws and the uWebSockets.js rivals. */

import { WebSocket } from "ws";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { createTake } from "../owned-bytes.mjs";

const { payload, address } = parameters();
endWithRunner();
const tally = new Tally(payload);
const take = createTake(payload, tally);
const socket = new WebSocket(address, { perMessageDeflate: false, skipUTF8Validation: true });
socket.on("error", fail);
socket.on("message", (bytes) => {
  try {
    if (take(bytes)) report("result", tally.result);
  } catch (error) {
    fail(error);
  }
});
