/** Nanoseconds of a call from JavaScript into native code that does next to nothing. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { withChildren } from "../processes.mjs";

const CALLS = ["noop", "doorbell"];
const COPIES = ["copy-in", "copy-out"];
/** Around the size from which `ts/kernel/copies.ts` calls the addon, and far above it. */
const COPY_BYTES = [1, 4, 64].map((kib) => kib * 1024);
const MODULE = new URL("boundary/measure.mjs", import.meta.url);
const YARDSTICK = new URL("../native/build/Release/yardstick.node", import.meta.url);

function createContender(name, call, timing, absence = async () => undefined, bytes = undefined) {
  return {
    name,
    absence,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const child = group.startNode(name, MODULE, { contender: name, call, bytes, timing });
        const { nanoseconds } = await child.event("result");
        return nanoseconds;
      }),
  };
}

/** A copy of ours beside V8's, which on shared memory goes word by word. */
function createCopyCase(call, bytes, timing) {
  const createCopy = (name) => createContender(name, call, timing, undefined, bytes);
  const name = `${call} ${bytes / 1024} KiB`;
  return {
    case: name,
    unit: "ns/call",
    better: "lower",
    ours: [{ case: name, measure: createCopy("ours").measure }],
    peers: [createCopy("typed-array")],
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
  cases: (timing) => [
    ...CALLS.map((call) => ({
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
    ...COPIES.flatMap((call) => COPY_BYTES.map((bytes) => createCopyCase(call, bytes, timing))),
  ],
};
