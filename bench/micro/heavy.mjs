/** What an isolate of one's own costs: to start, and to call. Cases of the suite `processes`. */

import { packageAbsence } from "../peers/installed.mjs";
import { createAsked, halved } from "./asked.mjs";

const figuresOf = ({ figures }) => figures;

/** A contender by the module of heavy/ that is asked, and what it is told beside the question. */
const RIVALS = {
  worker: { module: "worker" },
  "worker loaded": { module: "worker", told: { isLoaded: true } },
  piscina: { module: "piscina", package: "piscina" },
  comedy: { module: "comedy", told: { mode: "threaded" }, package: "comedy" },
  "comedy forked": { module: "comedy", told: { mode: "forked" }, package: "comedy" },
};

function createContender(name, module, parameters, absence) {
  const url = new URL(`heavy/${module}.mjs`, import.meta.url);
  return createAsked(name, url, parameters, figuresOf, absence);
}

/**
 * Rivals that start isolates, asked the same question.
 *
 * @param {readonly (keyof typeof RIVALS)[]} names
 * @param {object} parameters
 */
export function createHeavyRivals(names, parameters) {
  return names.map((name) => {
    const { module, told, package: needed } = RIVALS[name];
    const absence = needed && packageAbsence(needed);
    return createContender(name, module, { ...parameters, ...told }, absence);
  });
}

/** What measures ours. @param {object} parameters */
export const measureHeavy = (parameters) => createContender("ours", "ours", parameters).measure;

/** From asking for an isolate until it has answered a first message. */
export function createHeavyStart(timing) {
  const parameters = { question: "start", timing };
  return {
    case: "heavy start",
    figures: [{ key: "p50", name: "p50", unit: "ms", better: "lower" }],
    ours: [
      {
        case: "heavy start",
        targets: { p50: [{ vs: "worker", ratio: 1 / 1.2 }] },
        measure: measureHeavy(parameters),
      },
    ],
    peers: createHeavyRivals(Object.keys(RIVALS), parameters),
  };
}

/** The same where isolates wait for it; the clock stands still while one is replaced. */
export function createWarmStart(timing) {
  const parameters = { question: "start", timing };
  const unit = { unit: "ms", better: "lower" };
  return {
    case: "heavy start, pool",
    figures: [
      { key: "started", name: "until it has started, p50", ...unit },
      { key: "p50", name: "p50", ...unit },
      { key: "p99", name: "p99", ...unit },
    ],
    ours: [
      {
        case: "heavy start, pool",
        targets: { started: [{ atMost: 2 }], p50: [{ atMost: 2 }] },
        measure: measureHeavy({ ...parameters, idle: 2 }),
      },
      {
        case: "heavy start, pool, preloaded",
        targets: { started: [{ atMost: 2 }], p50: [{ atMost: 2 }] },
        measure: measureHeavy({ ...parameters, idle: 2, isPreloaded: true }),
      },
    ],
    peers: createHeavyRivals(["worker"], parameters),
  };
}

/** Calls of one isolate by the main thread. */
export function createHeavyCalls(timing) {
  const parameters = { question: "call", timing: halved(timing) };
  const unit = { unit: "calls/s", better: "higher" };
  return {
    case: "heavy call",
    figures: [
      { key: "single", name: "1 at a time", ...unit },
      { key: "many", name: "16 at a time", ...unit },
    ],
    ours: [{ case: "heavy call", measure: measureHeavy(parameters) }],
    peers: createHeavyRivals(["worker", "piscina", "comedy", "comedy forked"], parameters),
  };
}
