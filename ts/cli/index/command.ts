import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { EXIT_CODES, messageOf, usageError } from "../exit.ts";
import type { ClusterRun } from "./cluster-run.ts";
import { indexWithCluster } from "./coordinator.ts";
import { type Corpus, installedDependenciesFolder, scanCorpus } from "./corpus.ts";
import type { IndexOverlay } from "./messages.ts";
import { judge } from "./outcome.ts";
import { Progress } from "./progress.ts";
import { reportLines } from "./report.ts";
import { reportJson } from "./report-json.ts";
import { indexInOneProcess, type SingleProcessRun } from "./single-process.ts";
import { formatBytes, formatCount } from "./table.ts";

/** The command line of `foundation index`, already checked for form. */
export interface IndexArguments {
  /** Folder or file; `undefined` stands for the sources of the installed dependencies. */
  readonly path: string | undefined;
  /** Worker processes. */
  readonly workers: number;
  /** Where the figures go as JSON. */
  readonly json?: string;
  /** Whether one worker is killed in the middle. */
  readonly kill?: boolean;
  /** Which links the nodes keep; undefined: one to each member. */
  readonly overlay?: IndexOverlay;
  /** Names of folders that are not entered. */
  readonly exclude: readonly string[];
  /** Larger files are skipped. Unit: bytes. */
  readonly fileBytesMax: number;
}

/** The default folder should hold at least this much; else a line says that it does not. */
const EXPECTED_FILES = 2_000;
const EXPECTED_BYTES = 20_000_000;

/**
 * Indexes a folder with a cluster and then again without, prints both, and returns the exit code:
 * 0 if every check held. Throws a usage error if there is nothing to index.
 */
export async function indexCommand(options: IndexArguments, stop: AbortSignal): Promise<number> {
  const isKillAsked = options.kill === true;
  if (isKillAsked && options.workers < 2) {
    throw usageError("kill_needs_workers", "--kill needs at least 2 workers: one has to remain");
  }
  if (options.json !== undefined) await requireWritable(options.json);
  const corpus = await findCorpus(options, stop);
  const cluster = await runCluster(options, corpus, stop);
  const single = await runSingle(options, corpus, cluster, stop);
  const outcome = judge(corpus, cluster, single, isKillAsked);
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify(reportJson(outcome), null, 2)}\n`);
  }
  for (const line of reportLines(outcome, options.json)) print(line);
  return outcome.checks.every(({ isHeld }) => isHeld) ? EXIT_CODES.success : EXIT_CODES.failed;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A report that cannot be written is known before the work, not after it. */
async function requireWritable(file: string): Promise<void> {
  try {
    const existing = await stat(file).catch(() => undefined);
    if (existing?.isDirectory() === true) throw new Error("it is a folder");
    await access(existing === undefined ? dirname(resolve(file)) : file, constants.W_OK);
  } catch (cause) {
    const message = `cannot write ${file}: ${messageOf(cause)}`;
    throw usageError("json_not_writable", message, cause);
  }
}

async function findCorpus(options: IndexArguments, stop: AbortSignal): Promise<Corpus> {
  const path = options.path ?? (await installedDependenciesFolder(process.cwd()));
  const corpus = await scanCorpus(path, options.exclude, stop);
  if (corpus.files.length === 0) {
    const unreadable = corpus.skipped[0];
    const because = unreadable === undefined ? "" : `; ${unreadable.path}: ${unreadable.detail}`;
    const message = `no JavaScript or TypeScript file in ${path}${because}`;
    throw usageError("nothing_to_index", message);
  }
  const { files, bytes } = corpus;
  print(`${formatCount(files.length)} files, ${formatBytes(bytes)} in ${corpus.root}`);
  const isSmall = files.length < EXPECTED_FILES || bytes < EXPECTED_BYTES;
  if (options.path === undefined && isSmall) {
    print(
      `That is less than ${formatCount(EXPECTED_FILES)} files or ` +
        `${formatBytes(EXPECTED_BYTES)}: the figures will say little. Name a larger folder.`,
    );
  }
  return corpus;
}

async function runCluster(
  options: IndexArguments,
  corpus: Corpus,
  stop: AbortSignal,
): Promise<ClusterRun> {
  const progress = new Progress("cluster    ", process.stdout);
  try {
    return await indexWithCluster({
      corpus,
      workers: options.workers,
      kill: options.kill === true,
      overlay: options.overlay,
      fileBytesMax: options.fileBytesMax,
      signal: stop,
      onEvent: (line) => progress.event(line),
      onProgress: (state) => progress.update(state),
    });
  } finally {
    progress.end();
  }
}

async function runSingle(
  options: IndexArguments,
  corpus: Corpus,
  cluster: ClusterRun,
  stop: AbortSignal,
): Promise<SingleProcessRun> {
  const crashing = cluster.skipped.filter(({ reason }) => reason === "crashes-parser");
  const progress = new Progress("one process", process.stdout);
  try {
    return await indexInOneProcess({
      corpus,
      fileBytesMax: options.fileBytesMax,
      excludedPaths: new Set(crashing.map(({ path }) => path)),
      signal: stop,
      onProgress: (state) => progress.update(state),
    });
  } finally {
    progress.end();
  }
}
