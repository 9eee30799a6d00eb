/**
 * What others notice of a heavy process at work: their calls beside it, and beside an operating
 * system's process that does the same, in turn within one run.
 */

import { withChildren } from "../processes.mjs";

const CALLS = new URL("isolation/calls.mjs", import.meta.url);
const STRANGER = new URL("isolation/stranger.mjs", import.meta.url);

const FIGURES = [
  { key: "p50", name: "p50", unit: "µs", better: "lower" },
  { key: "p99", name: "p99", unit: "µs", better: "lower" },
  { key: "p99Worst", name: "p99 of the worst window", unit: "µs", better: "lower" },
  { key: "longest", name: "longest", unit: "µs", better: "lower" },
];

/** At most half as slow again as beside a stranger. */
const RATIO = 1 / 1.5;

/** Long enough for 2,000 calls, so that twenty are above their p99. Unit: ms. */
const WINDOW_MS = 100;
/** Of each kind in a turn. */
const WINDOWS_MIN = 7;
/** What a turn takes beside its windows, at most: work begins and ends for each. Unit: ms. */
const BESIDE_WINDOW_MS = 400;

function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >> 1];
}

/** The figures of a turn, from those of its windows: a window that a pause of the machine met does
 * not decide. */
function figuresOf(windows) {
  const all = (key) => windows.map((window) => window[key]);
  return {
    p50: median(all("p50")),
    p99: median(all("p99")),
    p99Worst: Math.max(...all("p99")),
    longest: median(all("longest")),
  };
}

/** One turn of all conditions; resolves with the windows of each by its name. */
function measureAll({ work, callee, strangers }, timing) {
  const windows = Math.max(WINDOWS_MIN, Math.ceil(timing.measureMs / WINDOW_MS));
  const longestMs = windows * (strangers.length + 2) * (WINDOW_MS + BESIDE_WINDOW_MS);
  const deadlineMs = timing.deadlineMs + longestMs;
  return withChildren(deadlineMs, async (group) => {
    const started = [];
    for (const { name, work: strangerWork } of strangers) {
      const told = { work: strangerWork, deadlineMs };
      const { pid } = await group.startNode(name, STRANGER, told).event("begun");
      started.push({ name, pid });
    }
    const plan = { work, callee, strangers: started, windows, windowMs: WINDOW_MS, timing };
    return (await group.startNode("calls", CALLS, plan).event("result")).found;
  });
}

/** All conditions are measured in the turn of ours: the turns of the others only tell of it. */
function createCase({ name, work, callee }, timing) {
  const burning = { name: "stranger", work: "burn", beside: "a stranger that burns a core" };
  const alike = { name: "stranger alike", work, beside: "a stranger that does the same" };
  // Where the work is to burn a core, both strangers would be the same one. Garbage keeps more
  // than one core busy: the first aim is that against who makes as much.
  const strangers = work === "burn" ? [burning] : [burning, alike];
  const yardsticks = [...strangers, { name: "idle", beside: "nothing" }].map((each) => {
    return { name: each.name, case: `${name}, beside ${each.beside}` };
  });
  let found;
  return {
    case: name,
    figures: FIGURES,
    ours: [
      {
        case: name,
        beside: Object.fromEntries(yardsticks.map((each) => [each.name, each.case])),
        targets: { p99: strangers.toReversed().map((vs) => ({ vs: vs.name, ratio: RATIO })) },
        async measure() {
          found = undefined;
          found = await measureAll({ work, callee, strangers }, timing);
          return figuresOf(found.ours);
        },
      },
      ...yardsticks.map((each) => ({
        case: each.case,
        isYardstick: true,
        async measure() {
          if (found === undefined) throw new Error("it is measured in the turn of ours");
          return figuresOf(found[each.name]);
        },
      })),
    ],
    peers: [],
  };
}

/**
 * Calls beside a heavy process.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const isolation = {
  name: "isolation",
  question: "calls beside a heavy process that loops, or makes garbage",
  cases: (timing) =>
    [
      { name: "endless loop", work: "burn", callee: "light" },
      { name: "endless loop, calls of a heavy process", work: "burn", callee: "heavy" },
      { name: "garbage", work: "churn", callee: "light" },
      { name: "garbage, calls of a heavy process", work: "churn", callee: "heavy" },
    ].map((each) => createCase(each, timing)),
};
