/** What the processes of one isolate cost, beside the BEAM's own and an actor library's. */

import { createBeam } from "../peers/beam/node.mjs";
import { packageAbsence } from "../peers/installed.mjs";
import { createAsked } from "./asked.mjs";

const BEAM_MODULE = "foundation_bench_processes";

/** Each question, who can be asked it, and what docs/performance.md aims at. */
const QUESTIONS = [
  {
    ...{ case: "spawn", unit: "processes/s", better: "higher", rivals: ["beam", "nact"] },
    targets: [{ vs: "beam", ratio: 3 }],
  },
  {
    ...{ case: "bytes", unit: "bytes/process", better: "lower", rivals: ["beam", "nact"] },
    targets: [{ atMost: 400 }],
  },
  {
    ...{ case: "send", unit: "messages/s", better: "higher", rivals: ["beam", "nact"] },
    targets: [{ vs: "beam", ratio: 2 }],
  },
  {
    ...{ case: "call", unit: "calls/s", better: "higher", rivals: ["beam", "nact"] },
    targets: [{ vs: "beam", ratio: 2 }],
  },
  {
    ...{ case: "a million", unit: "s", better: "lower", rivals: ["beam"] },
    targets: [],
  },
  {
    ...{ case: "restart", unit: "us", better: "lower", rivals: ["beam"] },
    targets: [{ atMost: 50 }],
  },
];

const figureOf = ({ figure }) => figure;

function createNode(name, question, timing, absence) {
  const module = new URL(`processes/${name}.mjs`, import.meta.url);
  return createAsked(name, module, { question, timing }, figureOf, absence);
}

function createCase({ rivals, targets, ...benchCase }, timing) {
  const question = benchCase.case;
  const createRival = {
    beam: () => createBeam(BEAM_MODULE, question, timing, figureOf),
    nact: () => createNode("nact", question, timing, packageAbsence("nact")),
  };
  return {
    ...benchCase,
    ours: [{ case: question, targets, measure: createNode("ours", question, timing).measure }],
    peers: rivals.map((name) => createRival[name]()),
  };
}

/**
 * Light processes: to start, to keep, to send to, to call, to restart.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const processes = {
  name: "processes",
  question: "light processes of one isolate: spawn, bytes, sends, calls, a million, restarts",
  cases: (timing) => QUESTIONS.map((question) => createCase(question, timing)),
};
