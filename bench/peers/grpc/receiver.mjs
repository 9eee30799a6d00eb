/** Serves one client stream of grpc-js. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { Tally } from "../../cluster/stream.mjs";
import { createTake } from "../owned-bytes.mjs";
import { serve } from "./service.mjs";

async function main() {
  const { payload } = parameters();
  endWithRunner();
  const tally = new Tally(payload);
  const take = createTake(payload, tally);
  const stream = (call) => {
    call.on("error", fail);
    call.on("data", (bytes) => {
      try {
        if (take(bytes)) report("result", tally.result);
      } catch (error) {
        fail(error);
      }
    });
  };
  const call = (_request, answer) => answer(new Error("not part of this turn"));
  report("listening", { address: await serve({ stream, call }) });
}

main().catch(fail);
