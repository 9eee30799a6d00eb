/** Unary calls of grpc-js over one channel, bodies as msgpack without shared records. */

import { pack, unpack } from "msgpackr";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { makeCalls } from "../../cluster/calls.mjs";
import { createClient } from "./service.mjs";

async function main() {
  const plan = parameters();
  endWithRunner();
  const client = createClient(plan.address);
  const call = (object) =>
    new Promise((resolve, reject) => {
      const onAnswer = (error, bytes) => (error ? reject(error) : resolve(unpack(bytes)));
      client.call(pack(object), onAnswer);
    });
  report("result", await makeCalls(call, plan));
}

main().catch(fail);
