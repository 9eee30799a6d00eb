/** One client stream of grpc-js: `write` a message, `drain` when it says so. */

import { once } from "node:events";

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { MARK, Pace } from "../../cluster/stream.mjs";
import { createOwnedSource } from "../owned-bytes.mjs";
import { createClient } from "./service.mjs";

/** More than the stream and the connection can hold of pooled messages. */
const POOL_TURNS = 512;

async function main() {
  const { payload, timing, address } = parameters();
  endWithRunner();
  const call = createClient(address).stream((error) => fail(error ?? "the stream has ended"));
  const messageOf = createOwnedSource(payload, POOL_TURNS);
  const pace = new Pace(timing, payload);
  for (let sequence = 0; ; sequence += 1) {
    const mark = pace.next();
    const accepted = call.write(messageOf(sequence, mark));
    if (mark === MARK.last) return;
    if (!accepted) await once(call, "drain");
  }
}

main().catch(fail);
