/** What a setting costs to read and to change, beside the libraries that hold settings. */

import { createAsked } from "../micro/asked.mjs";
import { packageAbsence } from "../peers/installed.mjs";

const figuresOf = ({ figures }) => figures;

function createContender(name, timing, absence) {
  const module = new URL(`config/${name}.mjs`, import.meta.url);
  return createAsked(name, module, { timing }, figuresOf, absence);
}

/**
 * The cases of the service `config`.
 *
 * @returns {import("../rounds.mjs").BenchCase[]}
 */
export function configCases(timing) {
  const name = "setting";
  return [
    {
      case: name,
      figures: [
        { key: "reads", name: "read by its path", unit: "reads/s", better: "higher" },
        { key: "updates", name: "checked and changed", unit: "updates/s", better: "higher" },
      ],
      ours: [
        {
          case: name,
          targets: { reads: [{ atLeast: 10_000_000 }] },
          measure: createContender("ours", timing).measure,
        },
      ],
      peers: [
        createContender("bare", timing),
        ...["convict", "config"].map((each) => createContender(each, timing, packageAbsence(each))),
      ],
    },
  ];
}
