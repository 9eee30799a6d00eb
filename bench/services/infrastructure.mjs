/** What protection costs a call, layer by layer, beside the library that has this one layer. */

import { createAsked } from "../micro/asked.mjs";
import { anyAbsence, packageAbsence } from "../peers/installed.mjs";

/** Each layer, and the packages that have it. */
const LAYERS = [
  { case: "protected call: breaker", layer: "breaker", rivals: ["opossum", "cockatiel"] },
  { case: "protected call: rate limit", layer: "limit", rivals: ["bottleneck"] },
  { case: "protected call: pool", layer: "pool", rivals: ["generic-pool", "tarn"] },
  { case: "protected call: all three", layer: "all", rivals: ["composed"] },
];

/** The libraries that a program puts together itself. */
const COMPOSED = ["bottleneck", "opossum", "generic-pool"];

const figureOf = ({ figure }) => figure;

function createContender(name, layer, timing, absence) {
  const module = new URL(`infrastructure/${name}.mjs`, import.meta.url);
  return createAsked(name, module, { layer, timing }, figureOf, absence);
}

/**
 * The cases of the service `infrastructure`.
 *
 * @returns {import("../rounds.mjs").BenchCase[]}
 */
export function infrastructureCases(timing) {
  return LAYERS.map(({ case: name, layer, rivals }) => ({
    ...{ case: name, unit: "calls/s", better: "higher" },
    ours: [{ case: name, measure: createContender("ours", layer, timing).measure }],
    peers: [
      createContender("bare", layer, timing),
      ...rivals.map((rival) => {
        const packages = rival === "composed" ? COMPOSED : [rival];
        return createContender(rival, layer, timing, anyAbsence(packages.map(packageAbsence)));
      }),
    ],
  }));
}
