/** Nanoseconds of a call from JavaScript into native code that does next to nothing. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { withChildren } from "../processes.mjs";

const CALLS = ["noop", "doorbell"];
const MODULE = new URL("boundary/measure.mjs", import.meta.url);
const YARDSTICK = new URL("../native/build/Release/yardstick.node", import.meta.url);

function createContender(name, call, timing, absence = async () => undefined) {
  return {
    name,
    absence,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const child = group.startNode(name, MODULE, { contender: name, call, timing });
        const { nanoseconds } = await child.event("result");
        return nanoseconds;
      }),
  };
}

/**
 * What each crossing costs before any work is done, which is why the rings cross in batches.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const boundary = {
  name: "boundary",
  question: "ns of a call into the addon, beside an empty one in C++ on bare Node-API",
  cases: (timing) =>
    CALLS.map((call) => ({
      case: call,
      unit: "ns/call",
      better: "lower",
      ours: [{ case: call, measure: createContender("ours", call, timing).measure }],
      peers: [
        createContender("yardstick", call, timing, async () =>
          existsSync(fileURLToPath(YARDSTICK))
            ? undefined
            : "node bench/native/build.mjs builds it",
        ),
      ],
    })),
};
