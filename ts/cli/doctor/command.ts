import type { DiscoveryStep } from "../../distributed/discovery/discovery-types.ts";
import { EXIT_CODES } from "../exit.ts";
import { print, writeOutput } from "../output.ts";
import { type Check, checkMachine, type DoctorPlace } from "./checks.ts";
import { checkSources } from "./sources.ts";

/** The command line of `foundation doctor`. */
export interface DoctorArguments extends DoctorPlace {
  /** Longest wait for each source. Unit: ms. */
  readonly timeoutMs: number;
  /** File for the report; `-` is standard output. */
  readonly json?: string;
}

const MARKS = { fine: "ok  ", note: "note", problem: "BAD " } as const;

function line({ name, severity, text }: Check): string {
  return `${MARKS[severity]}  ${name}: ${text}`;
}

function stepLine({ step, isChosen, reason }: DiscoveryStep): string {
  return `${isChosen ? "use " : "skip"}  ${step}: ${reason}`;
}

/** Says what a node would use on this machine and why, and what is wrong; 1 if something is. */
export async function doctorCommand(
  { timeoutMs, json, ...place }: DoctorArguments,
  stop: AbortSignal,
): Promise<number> {
  const machine = await checkMachine(place);
  const { steps, checks, sources } = await checkSources(place, timeoutMs, stop);
  const all = [...machine, ...checks];
  const problems = all.filter(({ severity }) => severity === "problem").length;
  if (json !== undefined) {
    const report = JSON.stringify({ problems, machine, discovery: { steps, checks, sources } });
    await writeOutput(json, `${report}\n`);
  }
  if (json !== "-") {
    const text = [
      "This machine and this installation",
      ...machine.map(line),
      "",
      'What discovery: "auto" would use here, and why',
      ...steps.map(stepLine),
      ...checks.map(line),
      "",
      problems === 0 ? "Nothing is wrong." : `${problems} problems.`,
    ];
    print(`${text.join("\n")}\n`);
  }
  return problems === 0 ? EXIT_CODES.success : EXIT_CODES.failed;
}
