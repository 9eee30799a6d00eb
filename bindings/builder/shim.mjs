import { readFileSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fingerprint, Stamp } from "./stamp.mjs";
import { findProgram, installFile, runTool } from "./tool.mjs";

const NODE_GYP = "node_modules/node-gyp/bin/node-gyp.js";

const INPUTS = ["binding.gyp", "bindings/shim", NODE_GYP, "node_modules/node-addon-api/napi.h"];

/**
 * Builds the C++ shim for the Node that runs this script, when the machine can.
 *
 * Outputs: `dist/bindings/shim.abi<N>.node`, and `dist/test/test_core.node`, a stand-in for the
 * core that the shim's tests use. The shim is optional by design: without a compiler, python3 or
 * this Node's headers one line says so, once, and the build goes on.
 *
 * @param {import("../build.mjs").BuildContext} context
 */
export async function buildShim({ root, stamps, isQuiet, report }) {
  const abi = process.versions.modules;
  const shim = join(root, `dist/bindings/shim.abi${abi}.node`);
  const testCore = join(root, "dist/test/test_core.node");
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const stamp = new Stamp(stamps, `shim.abi${abi}`);
  const print = fingerprint(root, INPUTS, {
    node: process.version,
    flags: `${process.env["CXX"] ?? ""} ${process.env["CXXFLAGS"] ?? ""}`,
  });
  if (stamp.matches(print, [shim, testCore])) return report.upToDate("shim");

  const missing = missingTool(prefix, abi);
  if (missing !== undefined) {
    const absence = `no ${missing}: shim not built`;
    if (stamp.matches(absence, [])) return report.upToDate(absence);
    // One left over from other sources must not be taken for this one.
    rmSync(shim, { force: true });
    report.note(`${absence} (capabilities().sharedAllocation is false)`);
    return stamp.write(absence);
  }
  const finished = report.started("shim", `C++, Node ABI ${abi}`);
  stamp.clear();
  const built = await compile(root, prefix, isQuiet);
  installFile(join(built, "foundation_test_core.node"), testCore);
  installFile(join(built, "foundation_shim.node"), shim);
  stamp.write(print);
  finished();
}

/**
 * Compiles both addons and returns their folder.
 *
 * @param {string} root
 * @param {string} prefix installation folder of the running Node
 * @param {boolean} isQuiet
 */
async function compile(root, prefix, isQuiet) {
  const remedy = "FOUNDATION_BUILD_SHIM=0 builds without it";
  const args = [join(root, NODE_GYP), "configure", "build", `--nodedir=${prefix}`];
  if (isQuiet) args.push("--loglevel=error");
  const env = withoutForeignHeaders(process.env);
  const failure = `the shim does not build; ${remedy}`;
  await runTool(process.execPath, args, { cwd: root, env, isQuiet, failure });
  const folder = join(root, "build/Release");
  // A shim built against another Node's headers is refused by the loader: say it now, not at start.
  const load = `require(${JSON.stringify(join(folder, "foundation_shim.node"))})`;
  await runTool(process.execPath, ["-e", load], {
    cwd: root,
    isQuiet,
    failure: `the shim was built but does not load; ${remedy}`,
  });
  return folder;
}

/**
 * What this machine lacks to build the shim, in words, or undefined.
 *
 * @param {string} prefix installation folder of the running Node
 * @param {string} abi
 */
function missingTool(prefix, abi) {
  if (findProgram([process.env["CXX"], "g++", "clang++", "c++"]) === undefined) {
    return "C++ compiler";
  }
  if (findProgram([process.env["MAKE"], "make", "gmake"]) === undefined) return "make";
  if (findProgram([process.env["PYTHON"], "python3"]) === undefined) return "python3";
  return hasHeaders(prefix, abi) ? undefined : `headers of Node ${process.version}`;
}

/**
 * Whether the headers beside the executable are this executable's own: a system folder may well
 * carry those of another Node.
 *
 * @param {string} prefix
 * @param {string} abi
 */
function hasHeaders(prefix, abi) {
  try {
    const header = readFileSync(join(prefix, "include/node/node_version.h"), "utf8");
    const [, version] = /^#define NODE_MODULE_VERSION (\d+)/m.exec(header) ?? [];
    return version === abi;
  } catch {
    return false;
  }
}

/**
 * npm exports its own `nodedir` to every script it runs, and node-gyp prefers that to the flag: the
 * shim would silently be built for the ABI of npm's Node.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function withoutForeignHeaders(env) {
  const isForeign = (/** @type {string} */ name) => /^npm_(package_)?config_.*nodedir$/i.test(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isForeign(name)));
}
