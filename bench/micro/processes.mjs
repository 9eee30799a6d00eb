/** What processes cost, light and heavy, beside the BEAM's own and the libraries of Node.js. */

import { createBeam } from "../peers/beam/node.mjs";
import { packageAbsence } from "../peers/installed.mjs";
import { createAsked } from "./asked.mjs";
import { createHeavyCalls, createHeavyStart } from "./heavy.mjs";

const BEAM_MODULE = "foundation_bench_processes";
const LIBRARIES = ["nact", "effect", "xstate"];

/** Each question of light processes, who can be asked it, and what docs/performance.md aims at. */
const QUESTIONS = [
  {
    ...{ case: "spawn", unit: "processes/s", better: "higher", rivals: ["beam", ...LIBRARIES] },
    targets: [{ vs: "beam", ratio: 3 }],
  },
  {
    ...{ case: "send", unit: "messages/s", better: "higher" },
    rivals: ["beam", ...LIBRARIES, "comedy"],
    targets: [{ vs: "beam", ratio: 2 }],
  },
  {
    ...{ case: "call", unit: "calls/s", better: "higher" },
    rivals: ["beam", ...LIBRARIES, "comedy"],
    targets: [{ vs: "beam", ratio: 2 }],
  },
  {
    ...{ case: "a million", unit: "s", better: "lower", rivals: ["beam"] },
    targets: [],
  },
];

/** Calls of a heavy process under way at a time: one, and what a pool is for. */
const CONCURRENT_CALLS = [1, 16];

const figureOf = ({ figure }) => figure;

function createNode(name, question, timing, absence) {
  const module = new URL(`processes/${name}.mjs`, import.meta.url);
  return createAsked(name, module, { question, timing }, figureOf, absence);
}

function createCase({ rivals, targets, ...benchCase }, timing) {
  const question = benchCase.case;
  const createRival = (name) =>
    name === "beam"
      ? createBeam(BEAM_MODULE, question, timing, figureOf)
      : createNode(name, question, timing, packageAbsence(name));
  return {
    ...benchCase,
    ours: [{ case: question, targets, measure: createNode("ours", question, timing).measure }],
    peers: rivals.map(createRival),
  };
}

/**
 * Light processes: to start, to send to, to call, a million of them. Heavy ones: to start, to call.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const processes = {
  name: "processes",
  question: "processes: spawn, sends, calls, a million of them; heavy ones: starts and calls",
  cases: (timing) => [
    ...QUESTIONS.map((question) => createCase(question, timing)),
    createHeavyStart(timing),
    ...CONCURRENT_CALLS.map((concurrent) => createHeavyCalls(concurrent, timing)),
  ],
};
