/** A subscription with a callback, which spares nats.js an iterator's promise a message. */

import { connect } from "@nats-io/transport-node";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { createTake } from "../owned-bytes.mjs";
import { SUBJECTS, windowOf } from "./subjects.mjs";

async function main() {
  const { payload, server } = parameters();
  endWithRunner();
  const client = await connect({ servers: server });
  const tally = new Tally(payload);
  const take = createTake(payload, tally);
  const { acknowledgeEvery } = windowOf(payload);
  client.subscribe(SUBJECTS.stream, {
    callback(error, message) {
      try {
        if (error) throw error;
        if (take(message.data)) report("result", tally.result);
        if (tally.received % acknowledgeEvery === 0) {
          client.publish(SUBJECTS.taken, String(tally.received));
        }
      } catch (failure) {
        fail(failure);
      }
    },
  });
  await client.flush();
  report("listening", { address: server });
}

main().catch(fail);
