/** Operations a second of ways to turn a value into bytes and back, measured by tinybench. */

import { withChildren } from "../processes.mjs";

const SHAPES = ["small object", "nested record"];
const OPERATIONS = ["encode", "decode", "round trip"];
const PEERS = ["json", "v8", "msgpackr", "structured-clone"];

/** A value on its own, and as one of a burst of sends. */
const VARIANTS = [
  { codec: "ours", suffix: "" },
  { codec: "ours-bundled", suffix: " in bundles" },
];

const MODULE = new URL("codec/measure.mjs", import.meta.url);

function createContender(name, shape, operation, timing) {
  return {
    name,
    absence: async () => undefined,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const child = group.startNode(name, MODULE, { codec: name, shape, operation, timing });
        const { operationsPerSecond } = await child.event("result");
        return operationsPerSecond;
      }),
  };
}

/**
 * Both halves and the round trip, on a flat value and on a nested one.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const codec = {
  name: "codec",
  question: "operations/s of values to bytes and back: JSON, v8, msgpackr, structuredClone",
  cases: (timing) =>
    SHAPES.flatMap((shape) =>
      OPERATIONS.map((operation) => ({
        case: `${shape}, ${operation}`,
        unit: "operations/s",
        better: "higher",
        ours: VARIANTS.map(({ codec: name, suffix }) => ({
          case: `${shape}, ${operation}${suffix}`,
          measure: createContender(name, shape, operation, timing).measure,
        })),
        // A structured clone has no bytes between its halves, so it only makes the round trip.
        peers: PEERS.filter(
          (name) => operation === "round trip" || name !== "structured-clone",
        ).map((name) => createContender(name, shape, operation, timing)),
      })),
    ),
};
