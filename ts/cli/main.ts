#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { packageVersion } from "../base/version.ts";
import type { DoctorArguments } from "./doctor/command.ts";
import { CommandError, describeFailure, EXIT_CODES } from "./exit.ts";
import type { IndexArguments } from "./index/command.ts";
import { abortOnStopSignals } from "./interruption.ts";
import type { MigrateLibclusterArguments } from "./migrate/command.ts";
import type { NodeArguments } from "./node/command.ts";
import type { PingArguments } from "./ping/command.ts";
import type { SimulateArguments } from "./simulate/command.ts";

const EXIT_CODE_HELP = `
Exit codes:
  0    the work is complete and every check held
  1    a check failed, or the cluster was lost
  2    wrong arguments, a path that does not exist, or nothing to index
  129  stopped by SIGHUP   130  stopped by SIGINT   143  stopped by SIGTERM`;

const MIGRATE_HELP = `
Exit codes:
  0    everything has a counterpart
  1    something is unsupported: the report says what has to be written or given
  2    wrong arguments, or a file that cannot be read`;

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${least} to ${most}.`);
  };
}

function part(text: string): number {
  const value = Number(text);
  if (/^0?\.?\d+$/.test(text) && value <= 0.99) return value;
  throw new InvalidArgumentError("It has to be a number from 0 to 0.99.");
}

function append(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

function describeIndex(program: Command, stop: AbortSignal): void {
  program
    .command("index")
    .description("index the JavaScript and TypeScript sources of a folder with a local cluster")
    .argument("[path]", "folder or file (default: the sources of the installed dependencies)")
    .option("-w, --workers <count>", "worker processes", wholeNumber(1, 64), 3)
    .option("--json <file>", "write all figures and the list of files to this file")
    .addOption(
      new Option(
        "--overlay <strategy>",
        "links that nodes keep (default: one to each member)",
      ).choices(["fullMesh", "hyparview"]),
    )
    .option("--kill", "end one worker with SIGKILL between 40 % and 60 % of the bytes")
    .option("--exclude <name>", "folder name that is not entered; repeatable", append, [".git"])
    .addOption(
      new Option("--file-bytes-max <bytes>", "larger files are counted and skipped")
        .argParser(wholeNumber(1, 15 * 1024 * 1024))
        .default(8 * 1024 * 1024, "8 MiB"),
    )
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (path: string | undefined, options: Omit<IndexArguments, "path">) => {
      const { indexCommand } = await import("./index/command.ts");
      process.exitCode = await indexCommand({ path, ...options }, stop);
    });
}

function describeNode(program: Command, stop: AbortSignal): void {
  program
    .command("node")
    .description("start one node, join others, and print who comes and goes")
    .requiredOption("--name <name>", "name of this node, unique in its cluster")
    .option("--cluster <name>", "only nodes of the same cluster connect", "foundation")
    .option("--listen <address>", "host:port; port 0 lets the system choose", "127.0.0.1:0")
    .option("--join <addresses...>", "host:port of nodes that are already there", [])
    .addOption(
      new Option("--discovery <how>", "finds other nodes; `foundation doctor` tells how").choices([
        "auto",
      ]),
    )
    .option("--secret-env <variable>", "environment variable that holds the shared secret")
    .option("--secret-file <path>", "file that holds the shared secret")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (options: NodeArguments) => {
      const { nodeCommand } = await import("./node/command.ts");
      process.exitCode = await nodeCommand(options, stop);
    });
}

function describeDoctor(program: Command, stop: AbortSignal): void {
  program
    .command("doctor")
    .description("say what a node would use on this machine and why, and what is wrong")
    .option("--cluster <name>", "cluster of the node", "foundation")
    .option("--listen <address>", "host:port as the node would have it", "127.0.0.1:0")
    .option("--secret-env <variable>", "environment variable that holds the shared secret")
    .option("--secret-file <path>", "file that holds the shared secret")
    .option("--timeout-ms <ms>", "longest wait for each source", wholeNumber(1, 600_000), 5_000)
    .option("--json <file>", "write the report to this file; - is standard output")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (options: DoctorArguments) => {
      const { doctorCommand } = await import("./doctor/command.ts");
      process.exitCode = await doctorCommand(options, stop);
    });
}

function describePing(program: Command, stop: AbortSignal): void {
  program
    .command("ping")
    .description("join a running node for a moment and measure round trips to it")
    .argument("<address>", "host:port of a node started by `foundation node`")
    .option("-n, --count <count>", "round trips", wholeNumber(1, 1_000_000), 10)
    .option("-i, --interval-ms <ms>", "time between two pings", wholeNumber(0, 60_000), 100)
    .option(
      "--timeout-ms <ms>",
      "longest wait for the node and for each answer",
      wholeNumber(1, 600_000),
      5_000,
    )
    .option("--cluster <name>", "cluster of the node", "foundation")
    .option("--secret-env <variable>", "environment variable that holds the shared secret")
    .option("--secret-file <path>", "file that holds the shared secret")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (address: string, options: Omit<PingArguments, "address">) => {
      const { pingCommand } = await import("./ping/command.ts");
      process.exitCode = await pingCommand({ address, ...options }, stop);
    });
}

function describeSimulate(program: Command, stop: AbortSignal): void {
  program
    .command("simulate")
    .description("run a cluster of simulated nodes under virtual time, and check what comes of it")
    .option("--scenario <name>", "what is done; --list names them", "crash")
    .option("--nodes <count>", "nodes (default: the scenario's)", wholeNumber(2, 100_000))
    .option("--fail <part>", "part of the nodes that fails (default: the scenario's)", part)
    .option("--seed <number>", "everything random", wholeNumber(0, 2 ** 48), 1)
    .option("--seeds <count>", "runs, each with the next seed", wholeNumber(1, 10_000), 1)
    .option("--no-seed-rule", "nodes look for no separated parts by discovery seeds")
    .option("--picture <file>", "draw the overlay before and after, as a page (.html)")
    .option("--json <file>", "write all reports to this file; - is standard output")
    .option("--list", "name the scenarios, and run none")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (options: SimulateArguments) => {
      const { simulateCommand } = await import("./simulate/command.ts");
      process.exitCode = await simulateCommand(options, stop);
    });
}

function describeMigrate(program: Command): void {
  program
    .command("migrate")
    .description("make options of another library's configuration, with a report")
    .command("libcluster")
    .description("topologies of libcluster 3.5 as the option 'discovery' of a node")
    .argument(
      "<file>",
      "Elixir, of which nothing is run, JSON, or a module of JavaScript (.js, .mjs, .cjs), " +
        "which is run and exports topologies",
    )
    .option("--json <file>", "write report and options to this file; - is standard output")
    .option("--check", "print what has to be looked at, and no options")
    .option("--node-port <port>", "where all nodes listen", wholeNumber(1, 65_535))
    .option("--prune-immediately", "disconnect who is gone from a source at once, as libcluster")
    .addHelpText("after", MIGRATE_HELP)
    .action(async (file: string, options: Omit<MigrateLibclusterArguments, "file">) => {
      const { migrateLibclusterCommand } = await import("./migrate/command.ts");
      process.exitCode = await migrateLibclusterCommand({ file, ...options });
    });
}

/** Commander prints its own messages; this maps its outcome to our exit codes. */
function exitCodeOf(failure: unknown): number {
  if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : EXIT_CODES.usage;
  process.stderr.write(`foundation: ${describeFailure(failure)}\n`);
  if (failure instanceof CommandError) return failure.exitCode;
  if (process.env["FOUNDATION_TRACE"] !== undefined && failure instanceof Error) {
    process.stderr.write(`${failure.stack}\n`);
  }
  return EXIT_CODES.failed;
}

async function main(): Promise<void> {
  // A reader that went away (`foundation index | head`) is no failure of the work: the rest of
  // the output has no reader, and the process ends as the others in such a pipe do.
  process.stdout.on("error", () => process.exit(EXIT_CODES.success));
  const stop = abortOnStopSignals();
  const program = new Command("foundation")
    .description(
      "A cluster runtime for Node.js: run its demonstration job, a node, a ping or a simulation, " +
        "or migrate a configuration.",
    )
    .version(packageVersion())
    .addHelpText("after", EXIT_CODE_HELP)
    .exitOverride();
  describeIndex(program, stop);
  describeNode(program, stop);
  describeDoctor(program, stop);
  describePing(program, stop);
  describeSimulate(program, stop);
  describeMigrate(program);
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    command.exitOverride();
  }
  try {
    await program.parseAsync();
  } catch (failure) {
    process.exitCode = exitCodeOf(failure);
  }
  // Buffered output of a pipe is written before the end; a handle that some library left open
  // does not keep the process.
  process.stdout.write("", () => process.exit());
}

await main();
