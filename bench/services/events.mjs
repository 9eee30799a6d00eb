/** What keeping and finding an event in memory costs, beside an emitter with a list. */

import { createAsked } from "../micro/asked.mjs";

const figuresOf = ({ figures }) => figures;

/**
 * The cases of the service `events`, as far as memory is concerned.
 *
 * @returns {import("../rounds.mjs").BenchCase[]}
 */
export function eventsCases(timing) {
  const name = "event";
  const contender = (each) => {
    const module = new URL(`events/${each}.mjs`, import.meta.url);
    return createAsked(each, module, { timing }, figuresOf);
  };
  const query = { unit: "µs", better: "lower" };
  return [
    {
      case: name,
      figures: [
        { key: "stored", name: "stored", unit: "events/s", better: "higher" },
        { key: "batched", name: "stored in batches of 100", unit: "events/s", better: "higher" },
        { key: "made", name: "made and stored", unit: "events/s", better: "higher" },
        { key: "byType", name: "100 of a type among 100,000, p99", ...query },
        { key: "byCorrelation", name: "100 of an operation among 100,000, p99", ...query },
        { key: "byTime", name: "100 of a span among 100,000, p99", ...query },
      ],
      ours: [
        {
          case: name,
          targets: {
            stored: [{ atLeast: 1_000_000 }],
            batched: [{ atLeast: 1_000_000 }],
            byType: [{ atMost: 1_000 }],
            byCorrelation: [{ atMost: 1_000 }],
            byTime: [{ atMost: 1_000 }],
          },
          measure: contender("ours").measure,
        },
      ],
      peers: [contender("emitter")],
    },
  ];
}
