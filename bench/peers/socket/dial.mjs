/**
 * Receiving side of the net.Socket rivals. It dials, since only a dialled socket can read into one
 * buffer of ours for its whole life (`onread`), which is the fastest way Node.js has.
 */

import { connect } from "node:net";

import { fail } from "../../child.mjs";
import { FrameReader } from "./frames.mjs";

const READ_BYTES = 256 * 1024;

/**
 * @param {import("node:net").TcpNetConnectOpts} options
 * @param {(frame: Uint8Array) => void} onFrame
 * @returns {import("node:net").Socket}
 */
export function dialFrames(options, onFrame) {
  const reader = new FrameReader(onFrame);
  const socket = connect({
    ...options,
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
  return socket;
}
