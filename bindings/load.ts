import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { FoundationError } from "../ts/base/errors.ts";
import type * as Core from "./generated/core.d.ts";
import type { Shim } from "./shim/contract.ts";

/** The functions of the native core. Types are generated from it. */
export type NativeCore = typeof Core;

const require = createRequire(import.meta.url);

function platformPackage(): string {
  const isMusl =
    process.platform === "linux" &&
    (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)
      ?.header?.glibcVersionRuntime === undefined;
  const libc = process.platform === "linux" ? (isMusl ? "-musl" : "-gnu") : "";
  return `foundation-runtime-${process.platform}-${process.arch}${libc}`;
}

/**
 * Where its parent has found a file, for a worker: the search takes longer than loading what is
 * loaded already, and a process has one core.
 */
const foundKey = (name: string): string => `foundation-runtime/${name}`;

/** Where the native core may be, in the order in which it is looked for. */
function* coreCandidates(): Generator<string> {
  const found = getEnvironmentData(foundKey("core"));
  if (typeof found === "string") yield found;
  const given = process.env["FOUNDATION_NATIVE_PATH"];
  if (given !== undefined) yield given;
  yield `${platformPackage()}/foundation.node`;
  yield fileURLToPath(new URL("./foundation_core.node", import.meta.url));
}

/** The same for the shim. */
function* shimCandidates(name: string): Generator<string> {
  const found = getEnvironmentData(foundKey("shim"));
  if (typeof found === "string") yield found;
  yield `${platformPackage()}/${name}`;
  const local = fileURLToPath(new URL(`./${name}`, import.meta.url));
  if (existsSync(local)) yield local;
}

function load(name: string, candidate: string): unknown {
  const loaded: unknown = require(candidate);
  setEnvironmentData(foundKey(name), require.resolve(candidate));
  return loaded;
}

/**
 * Loads the native core: in a worker the one of its parent; else the path in
 * `FOUNDATION_NATIVE_PATH`, the platform's package, or the local build.
 *
 * @throws FoundationError `native_missing` with everything that was tried and why it failed
 */
export function loadCore(): NativeCore {
  const failures: string[] = [];
  for (const candidate of coreCandidates()) {
    try {
      return load("core", candidate) as NativeCore;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message.split("\n")[0] : String(thrown);
      failures.push(`  ${candidate}: ${reason}`);
    }
  }
  throw new FoundationError(
    "native_missing",
    [
      `no native core for ${process.platform}-${process.arch} on Node ${process.versions.node}. ` +
        "Tried:",
      ...failures,
      `Install ${platformPackage()}, or run \`npm run build\` in a checkout.`,
    ].join("\n"),
  );
}

/**
 * Loads the C++ shim of the running Node's ABI, or answers `undefined`: everything but its own
 * options works.
 */
export function loadShim(): Shim | undefined {
  const name = `shim.abi${process.versions.modules}.node`;
  for (const candidate of shimCandidates(name)) {
    try {
      return load("shim", candidate) as Shim;
    } catch {
      // Absent or of another ABI: the next candidate, or none. `capabilities()` tells.
    }
  }
  return undefined;
}
