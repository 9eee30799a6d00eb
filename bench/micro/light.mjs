/** Light processes as contenders: what the suites `processes` and `memory` ask them. */

import { createBeam } from "../peers/beam/node.mjs";
import { packageAbsence } from "../peers/installed.mjs";
import { createAsked } from "./asked.mjs";

const BEAM_MODULE = "foundation_bench_processes";

/** Actor libraries of one event loop. */
export const LIBRARIES = Object.freeze(["nact", "effect", "xstate"]);

const figuresOf = ({ figures }) => figures;

function createNode(name, question, timing, absence) {
  const module = new URL(`processes/${name}.mjs`, import.meta.url);
  return createAsked(name, module, { question, timing }, figuresOf, absence);
}

/**
 * A question of light processes, which is the name of its case.
 *
 * @param {object} asked
 * @param {string} asked.case
 * @param {import("../rounds.mjs").Figure[]} asked.figures
 * @param {readonly string[]} asked.rivals "beam", or packages
 * @param {Record<string, import("../record.mjs").Target[]>} [asked.targets]
 * @param {import("../suites.mjs").Timing} timing
 * @returns {import("../rounds.mjs").BenchCase}
 */
export function createLightCase({ case: question, figures, rivals, targets }, timing) {
  const createRival = (name) =>
    name === "beam"
      ? createBeam(BEAM_MODULE, question, timing, figuresOf)
      : createNode(name, question, timing, packageAbsence(name));
  const { measure } = createNode("ours", question, timing);
  return {
    ...{ case: question, figures },
    ours: [{ case: question, targets, measure }],
    peers: rivals.map(createRival),
  };
}
