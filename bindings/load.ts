import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
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

/** Where the native core may be, in the order in which it is looked for. */
function candidates(): string[] {
  const given = process.env["FOUNDATION_NATIVE_PATH"];
  const local = fileURLToPath(new URL("./foundation_core.node", import.meta.url));
  return [...(given === undefined ? [] : [given]), `${platformPackage()}/foundation.node`, local];
}

/**
 * Loads the native core: the path in `FOUNDATION_NATIVE_PATH`, else the platform's package, else
 * the local build.
 *
 * @throws FoundationError `native_missing` with everything that was tried and why it failed
 */
export function loadCore(): NativeCore {
  const failures: string[] = [];
  for (const candidate of candidates()) {
    try {
      return require(candidate) as NativeCore;
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
  const local = fileURLToPath(new URL(`./${name}`, import.meta.url));
  for (const candidate of [`${platformPackage()}/${name}`, ...(existsSync(local) ? [local] : [])]) {
    try {
      return require(candidate) as Shim;
    } catch {
      // Absent or of another ABI: the next candidate, or none. `capabilities()` tells.
    }
  }
  return undefined;
}
