/** What an event costs that is counted or measured, beside the library that programs count with. */

import { createAsked } from "../micro/asked.mjs";
import { packageAbsence } from "../peers/installed.mjs";

const figuresOf = ({ figures }) => figures;

function createContender(name, timing, absence) {
  const module = new URL(`telemetry/${name}.mjs`, import.meta.url);
  return createAsked(name, module, { timing }, figuresOf, absence);
}

/**
 * The cases of the service `telemetry`.
 *
 * @returns {import("../rounds.mjs").BenchCase[]}
 */
export function telemetryCases(timing) {
  const name = "metric";
  return [
    {
      case: name,
      figures: [
        { key: "counted", name: "counted", unit: "events/s", better: "higher" },
        { key: "labelled", name: "counted by a label", unit: "events/s", better: "higher" },
        { key: "measured", name: "measured by a histogram", unit: "events/s", better: "higher" },
      ],
      ours: [
        {
          case: name,
          targets: { counted: [{ atLeast: 10_000_000 }] },
          measure: createContender("ours", timing).measure,
        },
      ],
      peers: [
        createContender("bare", timing),
        createContender("prom-client", timing, packageAbsence("prom-client")),
      ],
    },
  ];
}
