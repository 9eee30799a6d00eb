// Builds the yard-stick when a bench asks for it, offline: cmake-js with the Node-API headers that
// npm installed. `npm run build` never does.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withBuildLock } from "../../bindings/builder/lock.mjs";
import { fingerprint, Stamp } from "../../bindings/builder/stamp.mjs";
import { findProgram, runTool } from "../../bindings/builder/tool.mjs";

/**
 * @typedef {object} WakeFigures
 * @property {number} count calls that JavaScript ran
 * @property {number} elapsedNs of all of them
 * @property {number} p50Ns of a round trip; 0 for a burst
 * @property {number} p99Ns of a round trip; 0 for a burst
 *
 * @typedef {object} PipeFigures
 * @property {number} bytes
 * @property {number} systemCalls
 * @property {number} sleeps of the thread
 * @property {number} doorbells rung by the thread
 *
 * @typedef {object} Yardstick
 * @property {() => void} empty
 * @property {(view: Uint8Array) => number} byteLengthOf
 * @property {(bytes: number) => Buffer} externalBuffer
 * @property {(bytes: number) => Buffer} copiedBuffer
 * @property {(fn: () => void, count: number) => number} callInto ns a call
 * @property {(fn: () => void, count: number) => Promise<WakeFigures>} wakeRoundTrips
 * @property {(fn: () => void, count: number) => Promise<WakeFigures>} wakeBurst
 * @property {(view: Uint8Array) => number} bytesToAlignment
 * @property {(ring: Uint8Array, fn: () => void) => { pipe: unknown, port: number }} receiveInto
 * @property {(ring: Uint8Array, fn: () => void, port: number) => unknown} sendFrom the pipe
 * @property {(pipe: unknown) => void} wake
 * @property {(pipe: unknown) => void} closePipe
 * @property {(pipe: unknown) => PipeFigures} pipeFigures
 */

const folder = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(folder));
const output = join(folder, "build");
const addon = join(output, "Release/yardstick.node");

/**
 * Where a program of this folder is built.
 *
 * @param {"ping" | "delay" | "stream"} name
 */
export const programOf = (name) => join(output, "Release", name);

/** Sources of the addon; the scripts beside them do not decide it. */
const SOURCES = /(\.cc|\.h|CMakeLists\.txt|package\.json)$/;

/**
 * The loaded yard-stick, built first if its sources changed; undefined when this machine has no C++
 * compiler or no CMake. README.md lists its functions.
 *
 * @param {(line: string) => void} [say] told when a build starts, or why there is none
 * @returns {Promise<Yardstick | undefined>}
 */
export async function loadYardstick(say = () => {}) {
  const stamp = new Stamp(output, "yardstick");
  const onWait = (/** @type {string} */ owner) => say(`waiting for the build of process ${owner}`);
  const isBuilt = await withBuildLock(join(output, ".build.lock"), onWait, async () => {
    const print = fingerprint(root, ["bench/native"], {}, SOURCES);
    const programs = [programOf("ping"), programOf("delay"), programOf("stream")];
    if (stamp.matches(print, [addon, ...programs])) return true;
    const compiler = findProgram([process.env["CXX"], "g++", "clang++", "c++"]);
    if (compiler === undefined || findProgram(["cmake"]) === undefined) {
      say("no C++ compiler or no cmake: the C++ yard-stick is left out");
      return false;
    }
    say("yard-stick: building (C++)");
    stamp.clear();
    const cli = join(root, "node_modules/cmake-js/bin/cmake-js");
    const args = [cli, "build", "--directory", folder, "--out", output, "--config", "Release"];
    const failure = "the yard-stick does not build";
    await runTool(process.execPath, args, { cwd: root, isQuiet: true, failure });
    stamp.write(print);
    return true;
  });
  return isBuilt ? createRequire(import.meta.url)(addon) : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
  try {
    if ((await loadYardstick(say)) === undefined) process.exitCode = 1;
  } catch (error) {
    const { output: said = "", message } = /** @type {Error & { output?: string }} */ (error);
    say(`${said}build: ${message}`);
    process.exitCode = 1;
  }
}
