/** A plain BEAM node as a contender: its modules are compiled once a run. */

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { withChildren } from "../../processes.mjs";
import { programAbsence, scratchFolder } from "../installed.mjs";

const SOURCES = fileURLToPath(new URL(".", import.meta.url));
/** Room for the million of `processes`, which is more than a node has by itself. */
const PROCESSES_MAX = "2000000";

/** Why the BEAM cannot be measured here. */
const beamAbsence = programAbsence(["erl", "erlc"]);

let compiled;

/** The folder of the compiled modules; gone when the runner ends. */
function compiledFolder() {
  if (compiled === undefined) {
    compiled = scratchFolder();
    const names = readdirSync(SOURCES).filter((name) => name.endsWith(".erl"));
    const files = names.map((name) => join(SOURCES, name));
    execFileSync("erlc", ["-o", compiled, ...files], { stdio: ["ignore", "ignore", "inherit"] });
  }
  return compiled;
}

/**
 * The rival `beam`: a node that runs `main` of a module of this folder, with the question and the
 * three times, and reports a "result".
 *
 * @param {string} module
 * @param {string} question
 * @param {import("../../suites.mjs").Timing} timing
 * @param {(result: Record<string, any>) => import("../../rounds.mjs").Outcome} outcomeOf
 * @returns {import("../../rounds.mjs").Contender}
 */
export function createBeam(module, question, timing, outcomeOf) {
  const times = [timing.deadlineMs, timing.warmMs, timing.measureMs].map(String);
  return {
    name: "beam",
    absence: beamAbsence,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const words = ["+P", PROCESSES_MAX, "-noinput", "-pa", compiledFolder(), "-run", module];
        const child = group.start("beam", "erl", [...words, "main", question, ...times]);
        return outcomeOf(await child.event("result"));
      }),
  };
}
