/** Both ends of a stream through our public API, for every suite that measures one. */

import { fail, report } from "../../child.mjs";
import { createSource, MARK, Pace, Tally } from "../stream.mjs";

/**
 * Sends until the stream's time is over: `send` until it answers false, then a wait for `drained`.
 *
 * @param {import("foundation-runtime").Foundation} node
 * @param {string} receiver name of the node whose handler `sink` takes the stream
 * @param {{ payload: import("../stream.mjs").Payload,
 *   timing: { warmMs: number, measureMs: number }, channel?: string }} plan
 */
export async function sendStream(node, receiver, { payload, timing, channel = "default" }) {
  const to = { node: receiver, name: "sink" };
  const options = { channel };
  const drain = { to: receiver, channel };
  const messageOf = createSource(payload);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    const message = messageOf(sequence, mark);
    // False means not accepted: the same message is offered again.
    while (!node.send(to, message, options)) await node.drained(drain);
    if (mark === MARK.last) return;
  }
}

/**
 * Takes a stream in the handler `sink` and reports its tally when the last message is there.
 *
 * @param {import("foundation-runtime").Foundation} node
 * @param {{ payload: import("../stream.mjs").Payload, bytes?: "copy" | "view" | "held",
 *   as?: string }} plan `as` names the report
 */
export function takeStream(node, { payload, bytes, as = "result" }) {
  const tally = new Tally(payload);
  const take =
    payload.kind === "bytes"
      ? (message) => tally.takeBytes(message)
      : (message) => tally.takeObject(message);
  node.handle(
    "sink",
    (message) => {
      // A handler's exception belongs to the node; here a broken stream must end the round instead.
      try {
        if (take(message)) report(as, tally.result);
      } catch (error) {
        fail(error);
      }
    },
    { bytes },
  );
}
