/**
 * Where the sockets are polled: by the kernel thread, or by the isolate. The same stream by both,
 * on two cores and with everything on one; round trips of both are in the suite `latency`.
 */

import { supportsOptions } from "../ours.mjs";
import { createPair } from "./pair.mjs";
import { PAYLOADS } from "./stream.mjs";

const OURS = {
  receiver: new URL("ours/receiver.mjs", import.meta.url),
  sender: new URL("ours/sender.mjs", import.meta.url),
};

const SIZES = ["64 B", "1 KiB", "8 KiB", "1 MiB"];

const PLACEMENTS = [
  { name: "two cores", cores: { receiver: "0,1", sender: "0,1" } },
  { name: "a core each", cores: { receiver: "1", sender: "0" } },
  { name: "one core", cores: { receiver: "0", sender: "0" } },
];

const ARRANGEMENTS = [
  { name: "thread", nodeOptions: { io: "thread" } },
  { name: "isolate", nodeOptions: { io: "isolate" } },
];

function createVariant(payload, placement, arrangement, timing) {
  const caseOf = ({ name }) => `${payload.name} view, ${placement.name}, io ${name}`;
  const [thread] = ARRANGEMENTS;
  const variant = {
    case: caseOf(arrangement),
    absence: () => supportsOptions(arrangement.nodeOptions),
    measure: createPair({
      name: "ours",
      ...OURS,
      listener: "receiver",
      cores: placement.cores,
      timing,
      parameters: { payload, bytes: "view", tuning: arrangement.nodeOptions },
    }).measure,
  };
  if (arrangement !== thread) variant.beside = { thread: caseOf(thread) };
  return variant;
}

/**
 * Four sizes, three placements, both arrangements in turn.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const io = {
  name: "io",
  question: "messages/s with the sockets polled by the kernel thread and by the isolate",
  cases: (timing) =>
    PAYLOADS.filter(({ name }) => SIZES.includes(name)).flatMap((payload) =>
      PLACEMENTS.map((placement) => ({
        case: `${payload.name} view, ${placement.name}`,
        unit: "messages/s",
        better: "higher",
        ours: ARRANGEMENTS.map((arrangement) =>
          createVariant(payload, placement, arrangement, timing),
        ),
        peers: [],
      })),
    ),
};
