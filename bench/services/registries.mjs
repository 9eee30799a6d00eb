/** What finding a process by its name costs where another isolate has named it. */

import { createAsked } from "../micro/asked.mjs";
import { createBeam } from "../peers/beam/node.mjs";

const figureOf = ({ figure }) => figure;

/**
 * The cases of the service `registries`.
 *
 * @returns {import("../rounds.mjs").BenchCase[]}
 */
export function registriesCases(timing) {
  const name = "name of another isolate, looked up";
  const contender = (each) => {
    const module = new URL("registries/lookups.mjs", import.meta.url);
    return createAsked(each, module, { contender: each, timing }, figureOf);
  };
  return [
    {
      ...{ case: name, unit: "lookups/s", better: "higher" },
      ours: [
        {
          case: name,
          targets: [{ vs: "beam", ratio: 1 }, { atLeast: 4_300_000 }],
          measure: contender("ours").measure,
        },
      ],
      peers: [contender("map"), createBeam("foundation_bench_services", "ets", timing, figureOf)],
    },
  ];
}
