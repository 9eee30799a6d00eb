/** What an event costs the code that records it, and how many reach another isolate. */

import { createAsked } from "../micro/asked.mjs";

const figureOf = ({ figure }) => figure;

function createContender(program, name, parameters) {
  const module = new URL(`capture/${program}.mjs`, import.meta.url);
  return createAsked(name, module, { contender: name, ...parameters }, figureOf);
}

function recordedCase(timing) {
  const name = "event recorded, nobody reads";
  const contender = (each) => createContender("recorded", each, { timing });
  return {
    ...{ case: name, unit: "events/s", better: "higher" },
    // A record is to cost its code less than 1 us.
    ours: [{ case: name, targets: [{ atLeast: 1_000_000 }], measure: contender("ours").measure }],
    peers: ["array", "diagnostics-channel", "performance-mark"].map(contender),
  };
}

function handedCase(workers, timing) {
  const name = `event captured, ${workers === 1 ? "a worker" : `${workers} workers`} to main`;
  const contender = (each) => createContender("handed", each, { workers, timing });
  return {
    ...{ case: name, unit: "events/s", better: "higher" },
    ours: [{ case: name, targets: [{ atLeast: 100_000 }], measure: contender("ours").measure }],
    peers: ["array-post", "post-message"].map(contender),
  };
}

/**
 * The cases of the service `capture`.
 *
 * @returns {import("../rounds.mjs").BenchCase[]}
 */
export function captureCases(timing) {
  return [recordedCase(timing), handedCase(1, timing), handedCase(2, timing)];
}
