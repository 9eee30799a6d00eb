/**
 * What light processes notice of a heavy one: their calls beside it, and beside an operating
 * system's process that does the same.
 */

import { withChildren } from "../processes.mjs";

const CALLS = new URL("isolation/calls.mjs", import.meta.url);
const STRANGER = new URL("isolation/stranger.mjs", import.meta.url);

const FIGURES = [
  { key: "p50", name: "p50", unit: "µs", better: "lower" },
  { key: "p99", name: "p99", unit: "µs", better: "lower" },
  { key: "p999", name: "p99.9", unit: "µs", better: "lower" },
  { key: "longest", name: "longest", unit: "µs", better: "lower" },
];

/** At most half as slow again as beside a stranger. */
const RATIO = 1 / 1.5;

/** One turn: `heavyWork` runs in a heavy process of the callers' node, `strangerWork` outside. */
function createMeasure({ heavyWork, strangerWork }, timing) {
  return () =>
    withChildren(timing.deadlineMs, async (group) => {
      if (strangerWork !== undefined) {
        const stranger = group.startNode("stranger", STRANGER, { work: strangerWork, timing });
        await stranger.event("begun");
      }
      const calls = group.startNode("calls", CALLS, { work: heavyWork, timing });
      return (await calls.event("result")).figures;
    });
}

function createCase(name, work, timing) {
  const yardstick = (yardstickName, works) => ({
    case: yardstickName,
    isYardstick: true,
    measure: createMeasure(works, timing),
  });
  const burning = { name: "stranger", case: `${name}, beside a stranger that burns a core` };
  const alike = { name: "stranger alike", case: `${name}, beside a stranger that does the same` };
  const idle = { name: "idle", case: `${name}, beside nothing` };
  // Where the work is to burn a core, both strangers would be the same one.
  const strangers = work === "burn" ? [burning] : [burning, alike];
  return {
    case: name,
    figures: FIGURES,
    ours: [
      {
        case: name,
        beside: Object.fromEntries([...strangers, idle].map((each) => [each.name, each.case])),
        targets: { p99: [{ vs: "stranger", ratio: RATIO }] },
        measure: createMeasure({ heavyWork: work }, timing),
      },
      yardstick(burning.case, { strangerWork: "burn" }),
      ...(strangers.includes(alike) ? [yardstick(alike.case, { strangerWork: work })] : []),
      yardstick(idle.case, {}),
    ],
    peers: [],
  };
}

/**
 * Calls of two light processes beside a heavy one.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const isolation = {
  name: "isolation",
  question: "calls of light processes beside a heavy one that loops, or makes garbage",
  cases: (timing) => [
    createCase("endless loop", "burn", timing),
    createCase("garbage", "churn", timing),
  ],
};
