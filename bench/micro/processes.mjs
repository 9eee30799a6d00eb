/** What the processes of one isolate cost, beside the BEAM's own and an actor library's. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { packageAbsence, programAbsence, scratchFolder } from "../peers/installed.mjs";
import { withChildren } from "../processes.mjs";

const BEAM_SOURCE = fileURLToPath(
  new URL("../peers/beam/foundation_bench_processes.erl", import.meta.url),
);

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

let compiled;

/** The folder of the compiled Erlang module; gone when the runner ends. */
function compiledFolder() {
  if (compiled === undefined) {
    compiled = scratchFolder();
    const output = { stdio: ["ignore", "ignore", "inherit"] };
    execFileSync("erlc", ["-o", compiled, BEAM_SOURCE], output);
  }
  return compiled;
}

function createNode(name, question, timing, absence = async () => undefined) {
  const module = new URL(`processes/${name}.mjs`, import.meta.url);
  return {
    name,
    absence,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const child = group.startNode(name, module, { question, timing });
        return (await child.event("result")).figure;
      }),
  };
}

function createBeam(question, timing) {
  return {
    name: "beam",
    absence: programAbsence(["erl", "erlc"]),
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const times = [timing.deadlineMs, timing.warmMs, timing.measureMs].map(String);
        const words = [
          "+P",
          "2000000",
          "-noinput",
          "-pa",
          compiledFolder(),
          "-run",
          "foundation_bench_processes",
        ];
        const child = group.start("beam", "erl", [...words, "main", question, ...times]);
        return (await child.event("result")).figure;
      }),
  };
}

function createCase({ rivals, targets, ...benchCase }, timing) {
  const question = benchCase.case;
  const createRival = {
    beam: () => createBeam(question, timing),
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
