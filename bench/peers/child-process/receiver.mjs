/** The forked end of the `child_process` rival; ends with its parent's channel. */

import { fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";

const { payload, serialization } = parameters();
const tally = new Tally(payload);
const isText = payload.kind === "bytes" && serialization === "json";
const takeBytes = (message) => tally.takeBytes(message);
const takeText = (message) => tally.takeBytes(Buffer.from(message, "base64"));
const takeObject = (message) => tally.takeObject(message);
const take = isText ? takeText : payload.kind === "bytes" ? takeBytes : takeObject;

process.on("message", (message) => {
  try {
    if (take(message)) report("result", tally.result);
  } catch (error) {
    fail(error);
  }
});
process.on("disconnect", () => process.exit());
process.send("listening");
