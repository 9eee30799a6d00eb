/**
 * The receiver of both net.Socket rivals. It dials, since only a dialled socket can read into one
 * buffer of ours for its whole life (`onread`), which is the fastest way Node.js has.
 */

import { connect } from "node:net";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { RecordReader } from "../records.mjs";
import { FrameReader } from "./frames.mjs";

const READ_BYTES = 256 * 1024;

const { payload, address } = parameters();
endWithRunner();

const tally = new Tally(payload);
const records = new RecordReader();
const take =
  payload.kind === "bytes"
    ? (frame) => tally.takeBytes(frame)
    : (frame) => tally.takeObject(records.unpack(frame));
const reader = new FrameReader((frame) => {
  if (take(frame)) report("result", tally.result);
});

const socket = connect({
  ...address,
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
