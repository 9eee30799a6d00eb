import { spawn } from "node:child_process";
import { accessSync, constants, copyFileSync, mkdirSync, renameSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Output of a silent tool that is kept for the case that it fails. Unit: characters. */
const KEPT_OUTPUT_CHARACTERS = 64 * 1024;

/** A build that cannot go on, in one line; `output` is what a silent tool said before it failed. */
export class BuildError extends Error {
  /** @type {string} */
  output;

  /** @param {string} message @param {{ output?: string, cause?: unknown }} [details] */
  constructor(message, { output = "", cause } = {}) {
    super(message, { cause });
    this.output = output;
  }
}

/**
 * Runs a build tool to its end and throws {@link BuildError} when it fails.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, isQuiet: boolean, failure: string }} options
 *   `isQuiet` holds the output back and shows its end only on failure
 * @returns {Promise<void>}
 */
export function runTool(program, args, { cwd, env = process.env, isQuiet, failure }) {
  return new Promise((resolve, reject) => {
    // Never the standard output: that belongs to the program that starts after the build.
    /** @type {import("node:child_process").StdioOptions} */
    const stdio = isQuiet ? ["ignore", "pipe", "pipe"] : ["ignore", 2, 2];
    const child = spawn(program, args, { cwd, env, stdio });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.on("error", (cause) => {
      reject(new BuildError(`${failure}: ${cause.message}`, { cause }));
    });
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      reject(new BuildError(`${failure} (${signal ?? `exit code ${code}`})`, { output }));
    });
  });
}

/**
 * The first of these programs that can be run, searched like the shell does.
 *
 * @param {readonly (string | undefined)[]} names bare names, or paths as in `CXX`
 * @returns {string | undefined}
 */
export function findProgram(names) {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of names) {
    // A variable such as CXX may carry flags or a launcher; its first word decides.
    const program = name?.trim().split(/\s+/)[0];
    if (!program) continue;
    const candidates = program.includes("/") ? [program] : folders.map((dir) => join(dir, program));
    const found = candidates.find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Puts a built file in place by renaming: a process that has the old one mapped keeps the old one,
 * where writing over it would pull the code from under its feet.
 *
 * @param {string} from
 * @param {string} to
 */
export function installFile(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const fresh = `${to}.${process.pid}.new`;
  copyFileSync(from, fresh);
  renameSync(fresh, to);
}
