/** The reply socket of zeromq.js. */

import { Reply } from "zeromq";

import { endWithRunner, fail, report } from "../../child.mjs";

async function main() {
  endWithRunner();
  const socket = new Reply();
  await socket.bind("tcp://127.0.0.1:*");
  report("listening", { address: socket.lastEndpoint });
  for await (const [ping] of socket) await socket.send(ping);
}

main().catch(fail);
