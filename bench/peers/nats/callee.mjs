/** Answers requests of nats.js with what they carry. */

import { connect } from "@nats-io/transport-node";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { SUBJECTS } from "./subjects.mjs";

async function main() {
  const { server } = parameters();
  endWithRunner();
  const client = await connect({ servers: server });
  client.subscribe(SUBJECTS.echo, {
    callback(error, message) {
      if (error) fail(error);
      message.respond(message.data);
    },
  });
  await client.flush();
  report("listening", { address: server });
}

main().catch(fail);
