#!/usr/bin/env node
// Builds everything that a checkout needs to run: the Rust addon with its generated types and
// layout, the optional C++ shim, the TypeScript. `npm start` and `npm test` call it first, so it
// must be cheap when nothing changed: each step compares its inputs' fingerprint with that of its
// last success.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildCore } from "./builder/core.mjs";
import { buildLayout } from "./builder/layout.mjs";
import { withBuildLock } from "./builder/lock.mjs";
import { buildShim } from "./builder/shim.mjs";
import { BuildError } from "./builder/tool.mjs";
import { buildTypeScript } from "./builder/typescript.mjs";

/**
 * @typedef {object} BuildContext
 * @property {string} root folder of the checkout
 * @property {string} stamps folder of the fingerprints of the last successful steps
 * @property {boolean} isDebug build the Rust addon unoptimised
 * @property {boolean} isQuiet show a tool's output only when it fails
 * @property {Report} report
 */

/**
 * @typedef {object} Report
 * @property {(step: string) => void} upToDate
 * @property {(step: string, detail?: string) => () => void} started returns what to call at the end
 * @property {(line: string) => void} note
 */

const USAGE = `Usage: node bindings/build.mjs [options]

Builds dist/: the native core (cargo), the C++ shim (node-gyp), the TypeScript (tsc, rolldown); and
bindings/generated/: types and memory layout as the core has them.
Steps whose inputs did not change are skipped.

  --debug    build the native core unoptimised
  --quiet    print nothing for steps that are up to date, and tool output only on failure
  --no-shim  leave the C++ shim out (as does FOUNDATION_BUILD_SHIM=0)
  --help     show this text
`;

/** Lines go to the error stream: the standard output belongs to the program that starts next. */
function say(/** @type {string} */ line) {
  process.stderr.write(`${line}\n`);
}

/** @param {boolean} isQuiet @returns {Report} */
function reporter(isQuiet) {
  return {
    upToDate: (step) => {
      if (!isQuiet) say(`${step}: up to date`);
    },
    started: (step, detail) => {
      const startMs = performance.now();
      say(`${step}: building${detail === undefined ? "" : ` (${detail})`}`);
      return () => say(`${step}: built in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    },
    note: say,
  };
}

function readFlags() {
  const flag = /** @type {const} */ ({ type: "boolean", default: false });
  const options = { debug: flag, quiet: flag, "no-shim": flag, help: flag };
  try {
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (cause) {
    throw new BuildError(`${/** @type {Error} */ (cause).message}\n\n${USAGE}`, { cause });
  }
}

async function main() {
  const flags = readFlags();
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (!existsSync(join(root, "node_modules/typescript/package.json"))) {
    throw new BuildError("the dependencies are not installed: run npm ci first");
  }
  const report = reporter(flags.quiet);
  const stamps = join(root, "dist/.stamps");
  const context = { root, stamps, isDebug: flags.debug, isQuiet: flags.quiet, report };
  const onWait = (/** @type {string} */ owner) => say(`waiting for the build of process ${owner}`);
  await withBuildLock(join(root, "dist/.build.lock"), onWait, async () => {
    await buildCore(context);
    await buildLayout(context);
    if (!flags["no-shim"] && process.env["FOUNDATION_BUILD_SHIM"] !== "0") await buildShim(context);
    await buildTypeScript(context);
  });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  if (error.output !== "") process.stderr.write(error.output);
  say(`build: ${error.message}`);
  process.exitCode = 1;
}
