/** Round trips of an urgent channel beside saturating bulk of the same link, and what bulk pays. */

import { withChildren } from "../processes.mjs";

const ENDS = {
  receiver: new URL("latency/receiver.mjs", import.meta.url),
  sender: new URL("latency/sender.mjs", import.meta.url),
};
const MIB = 1024 * 1024;
const BULKS = [
  { name: "1 MiB", bytes: MIB },
  { name: "16 MiB", bytes: 16 * MIB },
];
const PERCENTILES = ["p50", "p99"];

/**
 * Runs both ends once.
 *
 * @param {{ deadlineMs: number }} timing
 * @param {{ bulkBytes: number, isPinging: boolean }} load `bulkBytes` 0 is no bulk
 * @param {(outcome: { pings?: Record<string, number>, bulk?: Record<string, number> }) => number}
 *   figureOf
 */
function createMeasure(timing, load, figureOf) {
  return () =>
    withChildren(timing.deadlineMs, async (group) => {
      const receiver = group.startNode("receiver", ENDS.receiver, load);
      const { address } = await receiver.event("listening");
      const sender = group.startNode("sender", ENDS.sender, { ...load, address, timing });
      const either = Promise.race([receiver.failure(), sender.failure()]);
      const outcome = Promise.all([
        load.isPinging ? sender.event("pings") : undefined,
        load.bulkBytes > 0 ? receiver.event("bulk") : undefined,
      ]);
      const [pings, bulk] = await Promise.race([outcome, either]);
      return figureOf({ pings, bulk });
    });
}

/** One of ours beside another of ours: the rival is the same product without the company. */
function createCase({ name, unit, better, loaded, alone, figureOf, target }, timing) {
  const contender = (load) => createMeasure(timing, load, figureOf);
  return {
    case: name,
    unit,
    better,
    ours: [{ case: name, targets: [target], measure: contender(loaded) }],
    peers: [{ name: target.vs, absence: async () => undefined, measure: contender(alone) }],
  };
}

function createCases(timing) {
  return BULKS.flatMap((bulk) => [
    ...PERCENTILES.map((percentile) =>
      createCase(
        {
          name: `ping ${percentile} beside ${bulk.name} bulk`,
          unit: "µs",
          better: "lower",
          loaded: { bulkBytes: bulk.bytes, isPinging: true },
          alone: { bulkBytes: 0, isPinging: true },
          figureOf: (outcome) => outcome.pings[percentile],
          target: { vs: "idle", ratio: 0.5 },
        },
        timing,
      ),
    ),
    createCase(
      {
        name: `${bulk.name} bulk beside pings`,
        unit: "bytes/s",
        better: "higher",
        loaded: { bulkBytes: bulk.bytes, isPinging: true },
        alone: { bulkBytes: bulk.bytes, isPinging: false },
        figureOf: ({ bulk: { messages, seconds } }) => (messages * bulk.bytes) / seconds,
        target: { vs: "alone", ratio: 0.8 },
      },
      timing,
    ),
  ]);
}

/**
 * Ours against itself: pings alone, bulk alone, both together.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const latencyUnderLoad = {
  name: "latency-under-load",
  question: "round trips of an urgent channel beside saturating bulk, and the bulk's rate",
  cases: createCases,
};
