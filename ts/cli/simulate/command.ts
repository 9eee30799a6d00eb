import { FoundationError } from "../../base/errors.ts";
import {
  runSimulation,
  type SimulationResult,
  simulationScenarios,
} from "../../kernel/simulation.ts";
import { EXIT_CODES, messageOf, usageError } from "../exit.ts";
import { checkOutput, print, writeOutput } from "../output.ts";
import { SeedFigures } from "./seed-figures.ts";
import { SimulationStatus } from "./simulation-status.ts";

/** The command line of `foundation simulate`. */
export interface SimulateArguments {
  readonly scenario: string;
  /** Unit: nodes. Undefined: the scenario's. */
  readonly nodes?: number;
  /** Part of the nodes. Undefined: the scenario's. */
  readonly fail?: number;
  readonly seed: number;
  /** Runs, each with the next seed. Unit: runs. */
  readonly seeds: number;
  readonly seedRule: boolean;
  /** File for the picture of the last run. */
  readonly picture?: string;
  /** File for all reports; `-` is standard output. */
  readonly json?: string;
  readonly list?: boolean;
}

/** Runs scenarios of the simulator; 0 if each run held. */
export async function simulateCommand(
  options: SimulateArguments,
  stop: AbortSignal,
): Promise<number> {
  if (options.list === true) return listScenarios();
  const { picture, json, seed, seeds } = options;
  if (picture !== undefined && !/\.html?$/i.test(picture)) {
    throw usageError("picture_kind", `a picture is a page: '${picture}' has to end with .html`);
  }
  for (const file of [picture, json]) if (file !== undefined) await checkOutput(file);
  const status = new SimulationStatus(process.stderr);
  const figures = new SeedFigures();
  const reports: SimulationResult["report"][] = [];
  let failed = 0;
  for (let run = 0; run < seeds; run++) {
    const result = await runOne(options, seed + run, run === seeds - 1, status, stop);
    const { picture: page, ...report } = result.report;
    reports.push(report);
    figures.add(report);
    if (!result.holds) failed++;
    if (json !== "-") print(seeds === 1 ? result.text : lineOf(result, seed + run));
    if (typeof page === "string" && picture !== undefined) await writeOutput(picture, page);
  }
  if (seeds > 1 && json !== "-") print(figures.table());
  if (seeds > 1 && json !== "-") print(`${seeds - failed} of ${seeds} seeds held\n`);
  const text = `${JSON.stringify(reports, null, 2)}\n`;
  if (json !== undefined) await writeOutput(json, text);
  return failed === 0 ? EXIT_CODES.success : EXIT_CODES.failed;
}

async function runOne(
  { scenario, nodes, fail, seedRule, picture }: SimulateArguments,
  seed: number,
  isLast: boolean,
  status: SimulationStatus,
  stop: AbortSignal,
): Promise<SimulationResult> {
  const isPictured = isLast && picture !== undefined;
  const options = { scenario, nodes, fail, seed, seedRule, picture: isPictured };
  try {
    return await runSimulation(options, (progress) => status.show(seed, progress), stop);
  } catch (thrown) {
    if (stop.aborted) throw stop.reason;
    if (!(thrown instanceof FoundationError) || thrown.code !== "invalid_options") throw thrown;
    throw usageError("simulation_options", messageOf(thrown), thrown);
  } finally {
    status.clear();
  }
}

function listScenarios(): number {
  for (const { name, about, nodes, fail } of simulationScenarios()) {
    const part = fail === 0 ? "" : `, ${fail * 100} % fail`;
    print(`${name.padEnd(16)} ${about} (${nodes} nodes${part})\n`);
  }
  return EXIT_CODES.success;
}

/** One line of a run, and those of its report that say what was missed. */
function lineOf({ holds, text }: SimulationResult, seed: number): string {
  const missed = text.split("\n").filter((line) => line.startsWith("!"));
  return [`seed ${seed}: ${holds ? "held" : "FAILED"}`, ...missed, ""].join("\n");
}
