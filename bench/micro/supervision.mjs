/** What supervision costs: a restart, and a storm of them beside busy siblings. */

import { createBeam } from "../peers/beam/node.mjs";
import { packageAbsence } from "../peers/installed.mjs";
import { createAsked } from "./asked.mjs";

const BEAM_MODULE = "foundation_bench_supervision";

/** What is asked of supervisors, of whom, and what is aimed at. */
const QUESTIONS = [
  {
    case: "restart",
    figures: [
      { key: "p50", name: "p50", unit: "µs", better: "lower" },
      { key: "p99", name: "p99", unit: "µs", better: "lower" },
    ],
    targets: { p50: [{ atMost: 50 }] },
  },
  {
    case: "storm",
    figures: [
      { key: "lost", name: "lost", unit: "messages", better: "lower", mayBeZero: true },
      { key: "restarts", name: "restarts", unit: "restarts/s", better: "higher" },
    ],
    targets: { lost: [{ atMost: 0 }] },
  },
];

const figuresOf = ({ figures }) => figures;

/** A contender of this folder: a module that is asked, and reports its figures. */
function createNode(name, parameters, absence) {
  const module = new URL(`supervision/${name}.mjs`, import.meta.url);
  return createAsked(name, module, parameters, figuresOf, absence);
}

function createCase({ targets, ...benchCase }, timing) {
  const question = benchCase.case;
  const parameters = { question, timing };
  const rivalOf = (name) => createNode(name, parameters, packageAbsence(name));
  return {
    ...benchCase,
    ours: [{ case: question, targets, measure: createNode("ours", parameters).measure }],
    peers: [
      createBeam(BEAM_MODULE, question, timing, figuresOf),
      ...["nact", "xstate", "effect"].map(rivalOf),
    ],
  };
}

/**
 * Supervisors: how fast a child is back, and whether its siblings notice.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const supervision = {
  name: "supervision",
  question: "supervisors: a restart, and a storm of restarts beside siblings",
  cases: (timing) => QUESTIONS.map((question) => createCase(question, timing)),
};
