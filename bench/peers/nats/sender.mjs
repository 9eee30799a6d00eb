/**
 * nats.js, publishing through nats-server. The server cuts off a subscriber that falls behind by
 * 64 MiB, so the receiver tells from time to time how far it is and the sender keeps a window.
 */

import { connect } from "@nats-io/transport-node";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { MARK, Pace } from "../../cluster/stream.mjs";
import { createOwnedSource } from "../owned-bytes.mjs";
import { SUBJECTS, windowOf } from "./subjects.mjs";

async function main() {
  const { payload, timing, server } = parameters();
  endWithRunner();
  const client = await connect({ servers: server });
  const { messages: inFlightMax } = windowOf(payload);
  let taken = 0;
  let wake = () => {};
  client.subscribe(SUBJECTS.taken, {
    callback(_error, message) {
      taken = Number(message.string());
      wake();
    },
  });
  await client.flush();
  const messageOf = createOwnedSource(payload, inFlightMax + 16);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    client.publish(SUBJECTS.stream, messageOf(sequence, mark));
    if (mark === MARK.last) return;
    while (sequence + 1 - taken >= inFlightMax) {
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
  }
}

main().catch(fail);
