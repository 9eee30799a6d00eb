/**
 * Messages a second over one ring between two threads: what everything above it can at most reach.
 */

import { withChildren } from "../processes.mjs";

const PAYLOADS = [
  { name: "64 B", kind: "bytes", bytes: 64 },
  { name: "1 KiB", kind: "bytes", bytes: 1024 },
];

const DIRECTIONS = [
  { name: "JavaScript to JavaScript", module: new URL("ring/to-javascript.mjs", import.meta.url) },
  { name: "JavaScript to Rust", module: new URL("ring/to-rust.mjs", import.meta.url) },
];

function createMeasure(module, payload, timing) {
  return () =>
    withChildren(timing.deadlineMs, async (group) => {
      const child = group.startNode("ring", module, { payload, timing });
      const { messages, seconds } = await child.event("result");
      return messages / seconds;
    });
}

/**
 * No rival: the rate that everything standing on a ring can at most have.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const ring = {
  name: "ring",
  question: "messages/s over one ring between two threads, to JavaScript and to Rust",
  cases: (timing) =>
    PAYLOADS.flatMap((payload) =>
      DIRECTIONS.map(({ name, module }) => ({
        case: `${payload.name} ${name}`,
        unit: "messages/s",
        better: "higher",
        ours: [
          {
            case: `${payload.name} ${name}`,
            measure: createMeasure(module, payload, timing),
          },
        ],
        peers: [],
      })),
    ),
};
