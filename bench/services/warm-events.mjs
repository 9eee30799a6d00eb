/** What it costs to keep events on disk, beside an embedded store with the same indexes. */

import { createAsked } from "../micro/asked.mjs";
import { packageAbsence } from "../peers/installed.mjs";

const figuresOf = ({ figures }) => figures;

function createContender(name, durability, timing, absence) {
  const module = new URL(`warm-events/${name}.mjs`, import.meta.url);
  return createAsked(name, module, { durability, timing }, figuresOf, absence);
}

/**
 * The cases of the warm store: acknowledged when events outlive the process, and when they outlive
 * a power loss.
 *
 * @returns {import("../rounds.mjs").BenchCase[]}
 */
export function warmEventsCases(timing) {
  return ["process", "disk"].map((durability) => ({
    case: `warm store: ${durability}`,
    figures: [
      { key: "stored", name: "stored", unit: "events/s", better: "higher" },
      { key: "found", name: "found by correlation", unit: "queries/s", better: "higher" },
    ],
    ours: [
      {
        case: `warm store: ${durability}`,
        targets: { stored: [{ atLeast: 100_000 }] },
        measure: createContender("ours", durability, timing).measure,
      },
    ],
    peers: [createContender("lmdb", durability, timing, packageAbsence("lmdb"))],
  }));
}
