/** A nats-server of the turn's own: in the turn's group, so that it certainly ends. */

import { connect } from "node:net";

import { anyAbsence, freePort, packageAbsence, programAbsence } from "../installed.mjs";

/** Debian's package puts it where only root's PATH looks. */
const PROGRAM = "nats-server";

/** Why nats cannot be measured here. */
export const natsAbsence = anyAbsence([
  packageAbsence("@nats-io/transport-node"),
  programAbsence([PROGRAM]),
]);

function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/**
 * Starts the server in a turn's group and resolves with its address once it accepts.
 *
 * @param {import("../../processes.mjs").ChildGroup} group
 * @param {import("../../processes.mjs").StartOptions} [options]
 * @returns {Promise<string>}
 */
export async function startNatsServer(group, options) {
  const port = await freePort();
  const words = ["--addr", "127.0.0.1", "--port", String(port)];
  const server = group.start(PROGRAM, PROGRAM, words, options);
  let failure;
  server.failure().catch((error) => {
    failure = error;
  });
  while (!(await isListening(port))) {
    if (failure !== undefined) throw failure;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return `127.0.0.1:${port}`;
}
