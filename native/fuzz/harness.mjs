// Builds the fuzz targets with AddressSanitizer on the stable toolchain, and runs them.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const SHARED = process.env["CARGO_TARGET_DIR"];
const OUTPUT = SHARED === undefined ? join(FOLDER, "target") : join(SHARED, "fuzz");
const FINDINGS = join(OUTPUT, "findings");
/** The target that has to fail. */
const PLANTED = "planted";
/** How long the planted mistake may stay unfound. Unit: s. */
const PLANTED_SECONDS_MAX = 60;
/** One input takes far less; a machine under load may be slow. Unit: s. */
const INPUT_SECONDS_MAX = 20;
/**
 * Longest input. Scripts say much in few bytes, and short ones run more often. Unit: bytes.
 *
 * @type {Record<string, number>}
 */
const INPUT_BYTES_MAX = {
  handshake_machine: 192,
  link_frames: 320,
  record_open: 256,
  cluster_messages: 512,
};
const INPUT_BYTES_MAX_DEFAULT = 2048;
/** What libFuzzer, its corpus and the sanitizer may take together. Unit: MiB. */
const MEMORY_MIB_MAX = 2048;

/**
 * @typedef {object} Outcome
 * @property {string} target
 * @property {number} executions
 * @property {number} seconds
 * @property {number} seed
 * @property {number} coverage edges of the targets' code that were reached
 * @property {number} memoryMiB
 * @property {string | undefined} finding the input that failed, or what else went wrong
 * @property {string} log
 */

/** Every target but the planted one. @returns {string[]} */
export function targets() {
  const files = readdirSync(join(FOLDER, "targets")).filter((file) => file.endsWith(".rs"));
  const names = files.map((file) => file.slice(0, -".rs".length));
  return names.filter((name) => name !== PLANTED && name !== "write_seeds");
}

function host() {
  const { stdout, error } = spawnSync("rustc", ["-vV"], { encoding: "utf8" });
  const triple = /^host: (.*)$/m.exec(stdout ?? "")?.[1];
  if (error || triple === undefined) throw new Error("no rustc: install the Rust toolchain");
  return triple;
}

/**
 * What is needed besides cargo, so that a missing piece is told in one line.
 *
 * @param {string} triple
 */
function checkTools(triple) {
  const { stdout } = spawnSync("rustc", ["--print", "sysroot"], { encoding: "utf8" });
  const libraries = join(stdout.trim(), "lib/rustlib", triple, "lib");
  const runtime = "librustc-stable_rt.asan.a";
  if (!existsSync(join(libraries, runtime))) {
    throw new Error(`the Rust toolchain has no AddressSanitizer runtime (${runtime})`);
  }
  const compiler = process.env["CXX"] ?? "c++";
  if (spawnSync(compiler, ["--version"]).status !== 0) {
    throw new Error(`no C++ compiler (${compiler}), which libFuzzer needs: install g++ or clang`);
  }
}

/** Builds all targets. @returns {string} the folder of the programs */
export function build() {
  const triple = host();
  checkTools(triple);
  const env = {
    ...process.env,
    RUSTC_BOOTSTRAP: "1", // the sanitizer's flag is not stable; all it does is
    RUSTC_WRAPPER: join(FOLDER, "rustc.sh"),
    RUSTFLAGS: "--cfg fuzzing --cfg foundation_asan",
    CARGO_TARGET_DIR: OUTPUT,
    CARGO_INCREMENTAL: "0",
  };
  // Naming the host as the target keeps these flags away from build scripts and macros.
  const args = ["build", "--release", "--locked", "--quiet", "--bins", "--target", triple];
  const { status } = spawnSync("cargo", args, { cwd: FOLDER, env, stdio: "inherit" });
  if (status !== 0) throw new Error("the fuzz targets do not build");
  mkdirSync(FINDINGS, { recursive: true });
  return join(OUTPUT, triple, "release");
}

/** @param {string} log @param {RegExp} pattern */
function lastNumber(log, pattern) {
  return Number([...log.matchAll(pattern)].at(-1)?.[1] ?? 0);
}

/**
 * Runs one target: the committed corpus first, then what libFuzzer makes of it, for so many
 * executions or seconds.
 *
 * @param {string} programs
 * @param {string} target
 * @param {{ runs?: number, seconds?: number, seed?: number, isFresh?: boolean }} limits
 * @returns {Promise<Outcome>}
 */
export async function run(programs, target, limits) {
  const corpus = join(OUTPUT, "corpus", target);
  if (limits.isFresh) rmSync(corpus, { recursive: true, force: true });
  mkdirSync(corpus, { recursive: true });
  const seed = limits.seed ?? 1 + Math.floor(Math.random() * (2 ** 32 - 2));
  const lengthMax = INPUT_BYTES_MAX[target] ?? INPUT_BYTES_MAX_DEFAULT;
  const args = [corpus, `-seed=${seed}`, `-max_len=${lengthMax}`, "-print_final_stats=1"];
  const committed = join(FOLDER, "corpus", target);
  if (existsSync(committed)) args.splice(1, 0, committed);
  args.push(`-timeout=${INPUT_SECONDS_MAX}`, `-rss_limit_mb=${MEMORY_MIB_MAX}`);
  args.push(`-artifact_prefix=${FINDINGS}/${target}-`, "-verbosity=1");
  if (limits.runs !== undefined) args.push(`-runs=${limits.runs}`);
  if (limits.seconds !== undefined) args.push(`-max_total_time=${limits.seconds}`);
  const startMs = performance.now();
  const { end, log } = await start(join(programs, target), args);
  const seconds = (performance.now() - startMs) / 1000;
  const executions = lastNumber(log, /^stat::number_of_executed_units: +(\d+)$/gm);
  const artefact = /Test unit written to (\S+)/.exec(log)?.[1];
  let finding;
  if (end !== 0) finding = artefact ?? `ended with ${end}, without an input to show`;
  else if (executions < (limits.runs ?? 1)) finding = `only ${executions} executions`;
  const coverage = lastNumber(log, / cov: (\d+) /g);
  const memoryMiB = lastNumber(log, /^stat::peak_rss_mb: +(\d+)$/gm);
  return { target, executions, seconds, seed, coverage, memoryMiB, finding, log };
}

/** What the sanitizer need not spend time on: safe code has no use of a stack after its return. */
const SANITIZER = "detect_stack_use_after_return=0:malloc_context_size=8:quarantine_size_mb=32";

/** @param {string} program @param {string[]} args */
async function start(program, args) {
  const env = { ASAN_OPTIONS: SANITIZER, ...process.env, RUST_BACKTRACE: "1" };
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let log = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (chunk) => {
    log += chunk;
    // Where it goes wrong and how it ends is at the end; each new input of the corpus is a line.
    if (log.length > 1 << 20) log = log.slice(-(1 << 19));
  });
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...end) => resolve(end));
  });
  return { end: signal ?? code, log };
}

/** The lines of a log that tell what went wrong. @param {string} log */
export function reasons(log) {
  const pattern = /panicked at|ERROR: |SUMMARY: |assertion|^ {4}#\d+ .*(?:native|targets)\//;
  const lines = log.split("\n");
  const chosen = lines.flatMap((line, index) => {
    if (!pattern.test(line)) return [];
    return /panicked at/.test(line) ? [line, lines[index + 1] ?? ""] : [line];
  });
  return chosen.slice(0, 12);
}

/**
 * A fuzzer that does not find what is there to be found shows nothing. The mistake stands behind
 * four bytes that only coverage leads to, and only the sanitizer sees it.
 *
 * @param {string} programs
 * @returns {Promise<Outcome>}
 */
export async function findPlanted(programs) {
  const limits = { seconds: PLANTED_SECONDS_MAX, isFresh: true };
  const outcome = await run(programs, PLANTED, limits);
  const artefact = outcome.finding ?? "";
  const isSeen = (/** @type {string} */ log) => log.includes("heap-buffer-overflow");
  if (!isSeen(outcome.log) || !existsSync(artefact)) {
    throw new Error("the planted overflow was not found");
  }
  const again = await start(join(programs, PLANTED), [artefact]);
  if (again.end === 0 || !isSeen(again.log)) {
    throw new Error("the planted overflow does not happen again");
  }
  rmSync(artefact);
  return outcome;
}

/** How to run a finding again. @param {string} programs @param {Outcome} outcome */
export function replay(programs, { target, finding }) {
  return `${join(programs, target)} ${finding}`;
}
