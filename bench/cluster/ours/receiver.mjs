/**
 * Our receiving node: public API, default options unless the case says otherwise; `bytes` says
 * whether a handler gets a view.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../stream.mjs";

async function main() {
  const { payload, bytes, tuning = {} } = parameters();
  endWithRunner();
  const tally = new Tally(payload);
  const node = await Foundation.start({
    name: "receiver",
    cluster: "bench",
    listen: "127.0.0.1:0",
    ...tuning,
  });
  const take =
    payload.kind === "bytes"
      ? (message) => tally.takeBytes(message)
      : (message) => tally.takeObject(message);
  node.handle(
    "sink",
    (message) => {
      // A handler's exception belongs to the node; here a broken stream must end the round instead.
      try {
        if (take(message)) report("result", tally.result);
      } catch (error) {
        fail(error);
      }
    },
    { bytes },
  );
  report("listening", { address: node.address });
}

main().catch(fail);
