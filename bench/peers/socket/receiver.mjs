/** The receiver of both net.Socket rivals. */

import { endWithRunner, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { RecordReader } from "../records.mjs";
import { dialFrames } from "./dial.mjs";

const { payload, address } = parameters();
endWithRunner();

const tally = new Tally(payload);
const records = new RecordReader();
const take =
  payload.kind === "bytes"
    ? (frame) => tally.takeBytes(frame)
    : (frame) => tally.takeObject(records.unpack(frame));
dialFrames(address, (frame) => {
  if (take(frame)) report("result", tally.result);
});
