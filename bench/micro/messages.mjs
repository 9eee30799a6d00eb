/** What a strategy of `sendOptimized` carries, by size and by where the receiver is. */

import { withChildren } from "../processes.mjs";

const SENDER = new URL("messages/sender.mjs", import.meta.url);
const RECEIVER = new URL("messages/receiver.mjs", import.meta.url);

const SIZES = [
  { name: "1 KiB", bytes: 1 << 10 },
  { name: "4 KiB", bytes: 4 << 10 },
  { name: "16 KiB", bytes: 16 << 10 },
  { name: "64 KiB", bytes: 64 << 10 },
  { name: "256 KiB", bytes: 256 << 10 },
  { name: "1 MiB", bytes: 1 << 20 },
];

const FIGURES = [
  { key: "rate", name: "rate", unit: "messages/s", better: "higher" },
  // Of all threads of both sides: what a strategy takes from everything else on the machine.
  { key: "cost", name: "processor time", unit: "µs", better: "lower" },
];

/** `counted` is `refCountedBinary` of bytes that were counted before, as one sends them to many. */
const PLACES = [
  { name: "same isolate", ways: ["direct", "sharing"] },
  { name: "other isolate", ways: ["direct", "refCountedBinary", "counted"] },
  { name: "other node", ways: ["direct", "refCountedBinary"] },
];

function createMeasure(plan) {
  return () =>
    withChildren(plan.timing.deadlineMs, async (group) => {
      let address;
      if (plan.place === "other node") {
        const receiver = group.startNode("receiver", RECEIVER, plan);
        ({ address } = await receiver.event("listening"));
      }
      const sender = group.startNode("sender", SENDER, { ...plan, address });
      const { messages, seconds, cpuMs } = await sender.event("result");
      return { rate: messages / seconds, cost: (cpuMs * 1_000) / messages };
    });
}

function createCase(size, place, timing) {
  const nameOf = (way) => `${size.name}, ${place.name}, ${way}`;
  return {
    case: `${size.name}, ${place.name}`,
    figures: FIGURES,
    ours: place.ways.map((way) => ({
      case: nameOf(way),
      beside: Object.fromEntries(
        place.ways.filter((other) => other !== way).map((other) => [other, nameOf(other)]),
      ),
      measure: createMeasure({ way, place: place.name, bytes: size.bytes, timing }),
    })),
    peers: [],
  };
}

/**
 * Bytes to one process, one after the other, by each strategy.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const messages = {
  name: "messages",
  question: "bytes/message by strategy: direct, shared, counted; in an isolate, a node, to another",
  cases: (timing) =>
    PLACES.flatMap((place) => SIZES.map((size) => createCase(size, place, timing))),
};
