/** Answers unary calls of grpc-js with what they carry. */

import { endWithRunner, fail, report } from "../../child.mjs";
import { serve } from "./service.mjs";

async function main() {
  endWithRunner();
  const stream = (_call, answer) => answer(new Error("not part of this turn"));
  const call = ({ request }, answer) => answer(null, request);
  report("listening", { address: await serve({ stream, call }) });
}

main().catch(fail);
