/**
 * The ws server as the sender: frames to a client are not masked, which saves a pass over the
 * bytes. It waits for the callback of a message once 256 KiB wait in the socket.
 */

import { WebSocketServer } from "ws";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { MARK, Pace } from "../../cluster/stream.mjs";
import { createOwnedSource } from "../owned-bytes.mjs";

const QUEUE_BYTES = 256 * 1024;
/** More than the queue holds of pooled messages. */
const POOL_TURNS = 8;

async function send(socket, { payload, timing }) {
  const messageOf = createOwnedSource(payload, POOL_TURNS);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    const message = messageOf(sequence, mark);
    if (socket.bufferedAmount < QUEUE_BYTES) socket.send(message);
    else await new Promise((resolve) => socket.send(message, resolve));
    if (mark === MARK.last) return;
  }
}

const plan = parameters();
endWithRunner();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("error", fail);
server.on("connection", (socket) => {
  socket.on("error", fail);
  send(socket, plan).catch(fail);
});
server.on("listening", () => {
  report("listening", { address: `ws://127.0.0.1:${server.address().port}` });
});
