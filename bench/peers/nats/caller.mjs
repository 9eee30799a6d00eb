/** Requests of nats.js through nats-server, bodies as msgpack without shared records. */

import { connect } from "@nats-io/transport-node";
import { pack, unpack } from "msgpackr";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { makeCalls } from "../../cluster/calls.mjs";
import { SUBJECTS } from "./subjects.mjs";

const TIMEOUT_MS = 5000;

async function main() {
  const plan = parameters();
  endWithRunner();
  const client = await connect({ servers: plan.server });
  const call = async (object) => {
    const answer = await client.request(SUBJECTS.echo, pack(object), { timeout: TIMEOUT_MS });
    return unpack(answer.data);
  };
  report("result", await makeCalls(call, plan));
}

main().catch(fail);
