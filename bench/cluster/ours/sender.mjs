/** Our sending node: `send` until it answers false, then a wait for `drained`. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { createSource, MARK, Pace } from "../stream.mjs";

const READY_TIMEOUT_MS = 10_000;

async function main() {
  const { payload, timing, address, tuning = {} } = parameters();
  endWithRunner();
  const node = await Foundation.start({
    name: "sender",
    cluster: "bench",
    listen: "127.0.0.1:0",
    ...tuning,
    seeds: [address],
  });
  await node.awaitReady({ minimumMembers: 2, timeoutMs: READY_TIMEOUT_MS });
  const to = { node: "receiver", name: "sink" };
  const options = { channel: "default" };
  const drain = { to: "receiver", channel: "default" };
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

main().catch(fail);
