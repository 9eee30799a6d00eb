#!/usr/bin/env node
// Fuzzes what reads bytes of strangers and peers, under AddressSanitizer.
import { parseArgs } from "node:util";
import { build, findPlanted, reasons, replay, run, targets } from "./harness.mjs";

const USAGE = `Usage: npm run fuzz -- [TARGET...] [options]

Builds the targets with AddressSanitizer, finds a planted mistake, then fuzzes each target in turn;
ends with 1 on any finding, which is kept and named.

  --seconds N   so long each (default 10)
  --runs N      so many executions each, however long that takes
  --seed N      libFuzzer's seed; each run prints the one it took
  --fresh       forgets the inputs that earlier runs found
  --list        names the targets
  --help        shows this text
`;

const text = /** @type {const} */ ({ type: "string" });
const flag = /** @type {const} */ ({ type: "boolean", default: false });

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: text, runs: text, seed: text, fresh: flag, list: flag, help: flag },
  });
  const number = (/** @type {"seconds" | "runs" | "seed"} */ name) => {
    if (values[name] === undefined) return undefined;
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} is a whole number`);
    return value;
  };
  const unknown = positionals.find((name) => !targets().includes(name));
  if (unknown !== undefined) {
    throw new Error(`no target '${unknown}'; there are ${targets().join(", ")}`);
  }
  const runs = number("runs");
  const seconds = number("seconds") ?? (runs === undefined ? 10 : undefined);
  const limits = { runs, seconds, seed: number("seed"), isFresh: values.fresh };
  const chosen = positionals.length > 0 ? positionals : targets();
  return { help: values.help, list: values.list, limits, chosen };
}

/** @param {import("./harness.mjs").Outcome} outcome */
function row({ target, executions, seconds, seed, coverage, memoryMiB, finding }) {
  const rate = Math.round(executions / seconds);
  const result = finding === undefined ? "nothing found" : "FOUND";
  return (
    `${target.padEnd(18)} ${executions.toLocaleString("en").padStart(12)} executions ` +
    `${seconds.toFixed(1).padStart(7)} s ${rate.toLocaleString("en").padStart(8)}/s ` +
    `coverage ${String(coverage).padStart(4)}  RSS ${memoryMiB} MiB  seed ${seed}  ${result}\n`
  );
}

async function main() {
  const { help, list, limits, chosen } = options();
  if (help) return void process.stdout.write(USAGE);
  if (list) return void process.stdout.write(`${targets().join("\n")}\n`);
  const programs = build();
  const planted = await findPlanted(programs);
  process.stdout.write(`planted overflow: found after ${planted.executions} executions\n`);
  for (const target of chosen) {
    const outcome = await run(programs, target, limits);
    process.stdout.write(row(outcome));
    if (outcome.finding === undefined) continue;
    for (const line of reasons(outcome.log)) process.stdout.write(`  ${line}\n`);
    process.stdout.write(`  ${outcome.finding}\n  again: ${replay(programs, outcome)}\n`);
    process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
