/** What memory costs: processes, bytes that are shared, texts, and looking at it. */

import { createBeam } from "../peers/beam/node.mjs";
import { createAsked, halved } from "./asked.mjs";
import { createHeavyRivals, measureHeavy } from "./heavy.mjs";
import { createLightCase, LIBRARIES } from "./light.mjs";

const BEAM_MODULE = "foundation_bench_memory";
const KIB = 1_024;

const figuresOf = ({ figures }) => figures;

/** A contender of a program of this folder. */
function createNode(name, program, parameters) {
  const module = new URL(`memory/${program}.mjs`, import.meta.url);
  return createAsked(name, module, parameters, figuresOf);
}

function createLight(timing) {
  const unit = { unit: "bytes/process", better: "lower" };
  const asked = {
    case: "light process",
    figures: [
      { key: "idle", name: "idle", ...unit },
      { key: "used", name: "after a message", ...unit },
      { key: "resident", name: "resident after a message", ...unit },
    ],
    rivals: ["beam", ...LIBRARIES],
    targets: { idle: [{ atMost: 400 }] },
  };
  return createLightCase(asked, timing);
}

function createHeavy(timing) {
  const parameters = { question: "heavy process", timing };
  return {
    case: "heavy process",
    figures: [{ key: "resident", unit: "MiB", better: "lower" }],
    ours: [{ case: "heavy process", measure: measureHeavy(parameters) }],
    peers: createHeavyRivals(["worker", "worker loaded", "piscina", "comedy"], parameters),
  };
}

/** Bytes with readers; the BEAM's rival is a copy of a binary, which it counts by itself. */
function createBinaries(bytes, timing) {
  const name = `shared binary, ${bytes / KIB} KiB`;
  const contender = (each) => createNode(each, "binaries", { contender: each, bytes, timing });
  return {
    case: name,
    figures: [
      { key: "puts", name: "put and release", unit: "puts/s", better: "higher" },
      { key: "retains", name: "retain and release", unit: "readers/s", better: "higher" },
    ],
    ours: [{ case: name, measure: contender("ours").measure }],
    peers: [
      ...["buffer", "shared-array-buffer"].map(contender),
      createBeam(BEAM_MODULE, `binary ${bytes}`, timing, figuresOf),
    ],
  };
}

function createAtoms(timing) {
  const contender = (each) => createNode(each, "atoms", { contender: each, timing });
  return {
    case: "atoms",
    figures: [
      { key: "lookups", name: "known", unit: "texts/s", better: "higher" },
      { key: "news", name: "new", unit: "texts/s", better: "higher" },
    ],
    ours: [{ case: "atoms", measure: contender("ours").measure }],
    peers: [
      ...["map", "symbol"].map(contender),
      createBeam(BEAM_MODULE, "atoms", timing, figuresOf),
    ],
  };
}

function createFanOut(timing) {
  const contender = (each) => createNode(each, "fan-out", { contender: each, timing });
  const name = "1 MiB to 4 isolates";
  return {
    case: name,
    figures: [
      { key: "messages", unit: "messages/s", better: "higher" },
      { key: "copied", name: "copied by the sender", unit: "bytes/message", better: "lower" },
      { key: "grown", name: "most resident", unit: "MiB", better: "lower", mayBeZero: true },
    ],
    ours: [
      { case: `${name}, copied`, measure: contender("copied").measure },
      { case: `${name}, shared`, measure: contender("shared").measure },
    ],
    peers: [
      ...["worker", "worker shared"].map(contender),
      createBeam(BEAM_MODULE, "fan-out", timing, figuresOf),
    ],
  };
}

function createAnalysis(timing) {
  const contender = (each) => createNode(each, "analysis", { contender: each, timing });
  return {
    case: "analyzeMemory",
    figures: [
      { key: "alone", name: "one isolate", unit: "µs", better: "lower" },
      { key: "heavy", name: "and 4 heavy processes", unit: "µs", better: "lower" },
    ],
    ours: [{ case: "analyzeMemory", measure: contender("ours").measure }],
    peers: [contender("v8")],
  };
}

/**
 * Memory: of processes, of messages, of texts.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const memory = {
  name: "memory",
  question: "bytes of processes, shared binaries, atoms, large messages, what looking costs",
  cases: (timing) => [
    createLight(timing),
    createHeavy(timing),
    createBinaries(4 * KIB, halved(timing)),
    createBinaries(256 * KIB, halved(timing)),
    createAtoms(halved(timing)),
    createFanOut(timing),
    createAnalysis(halved(timing)),
  ],
};
