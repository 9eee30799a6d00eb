/** The cost of one call, with the cost of the loop around it left in: it is under a nanosecond. */

import { createRequire } from "node:module";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { BOUNDARY_CALLS, openCopies } from "../../ours.mjs";

const YARDSTICK = "../../native/build/Release/yardstick.node";
const CALLS_BETWEEN_CLOCKS = 100_000;

const CONTENDERS = {
  ours: BOUNDARY_CALLS,
  yardstick: (() => {
    const load = async () => createRequire(import.meta.url)(YARDSTICK).empty;
    return { noop: load, doorbell: load };
  })(),
};

/** Calls until the time is over; returns the calls and the milliseconds that they took. */
function callFor(call, durationMs) {
  const startedAt = performance.now();
  let calls = 0;
  for (;;) {
    for (let index = 0; index < CALLS_BETWEEN_CLOCKS; index += 1) call();
    calls += CALLS_BETWEEN_CLOCKS;
    const passedMs = performance.now() - startedAt;
    if (passedMs >= durationMs) return { calls, passedMs };
  }
}

async function main() {
  const { contender, call: name, bytes, timing } = parameters();
  endWithRunner();
  const call =
    bytes === undefined
      ? await CONTENDERS[contender][name]()
      : (await openCopies(bytes))[contender][name];
  callFor(call, timing.warmMs);
  const { calls, passedMs } = callFor(call, timing.measureMs);
  report("result", { nanoseconds: (passedMs * 1e6) / calls });
}

main().catch(fail);
