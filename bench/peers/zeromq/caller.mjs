/** The request socket of zeromq.js. */

import { Request } from "zeromq";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { startPinging } from "../../cluster/latency/round-trips.mjs";

function main() {
  const { address, timing } = parameters();
  endWithRunner();
  const socket = new Request();
  socket.connect(address);
  const onPong = startPinging(timing, (ping) => {
    const answered = socket.send(ping.slice()).then(() => socket.receive());
    answered.then(([pong]) => onPong(pong)).catch(fail);
  });
}

main();
