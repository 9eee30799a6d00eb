/** What processes cost, light and heavy, beside the BEAM's own and the libraries of Node.js. */

import { createHeavyCalls, createHeavyStart, createWarmStart } from "./heavy.mjs";
import { createLightCase, LIBRARIES } from "./light.mjs";

/** Each question of light processes, who can be asked it, and what docs/performance.md aims at. */
const QUESTIONS = [
  {
    case: "spawn",
    figures: [{ key: "spawn", unit: "processes/s", better: "higher" }],
    rivals: ["beam", ...LIBRARIES],
    targets: { spawn: [{ vs: "beam", ratio: 3 }] },
  },
  {
    case: "send",
    figures: [{ key: "send", unit: "messages/s", better: "higher" }],
    rivals: ["beam", ...LIBRARIES, "comedy"],
    targets: { send: [{ vs: "beam", ratio: 2 }] },
  },
  {
    case: "call",
    figures: [{ key: "call", unit: "calls/s", better: "higher" }],
    rivals: ["beam", ...LIBRARIES, "comedy"],
    targets: { call: [{ vs: "beam", ratio: 2 }] },
  },
  {
    case: "a million",
    figures: [
      { key: "seconds", name: "alive and reached", unit: "s", better: "lower" },
      { key: "resident", name: "resident", unit: "bytes/process", better: "lower" },
    ],
    rivals: ["beam"],
  },
];

/**
 * Light processes: to start, to send to, to call, a million of them. Heavy ones: to start, to call.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const processes = {
  name: "processes",
  question: "processes: spawn, sends, calls, a million of them; heavy ones: starts and calls",
  cases: (timing) => [
    ...QUESTIONS.map((question) => createLightCase(question, timing)),
    createHeavyStart(timing),
    createWarmStart(timing),
    createHeavyCalls(timing),
  ],
};
