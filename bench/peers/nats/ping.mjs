/** Pings over nats.js: a message to the echo's subject, which answers by itself. */

import { connect } from "@nats-io/transport-node";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { startPinging } from "../../cluster/latency/round-trips.mjs";
import { SUBJECTS } from "./subjects.mjs";

async function main() {
  const { server, timing } = parameters();
  endWithRunner();
  const client = await connect({ servers: server });
  const reply = "bench.pong";
  let onPong;
  client.subscribe(reply, {
    callback(error, message) {
      if (error) fail(error);
      onPong(message.data);
    },
  });
  await client.flush();
  onPong = startPinging(timing, (ping) => client.publish(SUBJECTS.echo, ping.slice(), { reply }));
}

main().catch(fail);
