/**
 * Accepting side of the net.Socket rivals: one connection on a loopback port of the system's
 * choice.
 */

import { createServer } from "node:net";

import { report } from "../../child.mjs";

/**
 * Listens, tells the runner where, and resolves with the first connection.
 *
 * @param {import("node:net").ServerOpts} [options]
 * @returns {Promise<import("node:net").Socket>}
 */
export function acceptOne(options = {}) {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true, ...options }, (socket) => {
      server.close();
      resolve(socket);
    });
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      report("listening", { address: { host: "127.0.0.1", port: server.address().port } });
    });
  });
}
