/** How far beyond its limits a heavy process comes until its watchdog has ended it. */

import { withChildren } from "../processes.mjs";

const ENDS = new URL("limits/ends.mjs", import.meta.url);
const KIB = 2 ** 10;
const MIB = 2 ** 20;
/** Processes that a turn ends. */
const ENDS_A_TURN = 10;

function figuresOf(unit) {
  return [
    { key: "middle", name: "in the middle", unit, better: "lower" },
    { key: "most", name: "at most", unit, better: "lower" },
  ];
}

function createCase(name, unit, work, timing) {
  const measure = () =>
    withChildren(timing.deadlineMs, async (group) => {
      const ends = group.startNode("ends", ENDS, { ...work, count: ENDS_A_TURN });
      return (await ends.event("result")).figures;
    });
  return { case: name, figures: figuresOf(unit), ours: [{ case: name, measure }], peers: [] };
}

const hoard = (bytes, isWritten) => ({ offHeapMiB: 64, work: { bytes, isWritten } });

/**
 * Heavy processes that exceed a limit, one after the other, and what they were beyond it.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const limits = {
  name: "limits",
  question: "what a heavy process is beyond `offHeapMiB: 64` or `stallMs: 200` when it is ended",
  cases: (timing) => [
    createCase("pieces of 64 KiB, written", "MiB", hoard(64 * KIB, true), timing),
    createCase("pieces of 1 MiB, written", "MiB", hoard(MIB, true), timing),
    createCase("pieces of 1 MiB, not written", "MiB", hoard(MIB, false), timing),
    createCase("pieces of 16 MiB, written", "MiB", hoard(16 * MIB, true), timing),
    createCase("endless loop", "ms", { stallMs: 200, work: { bytes: 0 } }, timing),
  ],
};
