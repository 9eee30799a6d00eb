import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fingerprint, Stamp } from "./stamp.mjs";
import { BuildError, findProgram, installFile, runTool } from "./tool.mjs";

/** The command-line entry of the binding generator: cargo, then the types its macros wrote. */
const NAPI_CLI = "node_modules/@napi-rs/cli/dist/cli.js";

const INPUTS = ["native", "bindings/core", "rust-toolchain.toml", NAPI_CLI];

/**
 * Builds the Rust addon and its generated types.
 *
 * Outputs: `dist/bindings/foundation_core.node` and `bindings/generated/core.d.ts`, the latter
 * written only when its text changes, so that its time stays true for the TypeScript step.
 *
 * @param {import("../build.mjs").BuildContext} context
 */
export async function buildCore({ root, stamps, isDebug, isQuiet, report }) {
  const profile = isDebug ? "debug" : "release";
  const addon = join(root, "dist/bindings/foundation_core.node");
  const types = join(root, "bindings/generated/core.d.ts");
  const stamp = new Stamp(stamps, "core");
  const print = fingerprint(root, INPUTS, {
    profile,
    platform: `${process.platform}-${process.arch}`,
    flags: process.env["RUSTFLAGS"] ?? "",
  });
  if (stamp.matches(print, [addon, types])) return report.upToDate("native core");

  if (!existsSync(join(root, "bindings/core/Cargo.toml"))) {
    throw new BuildError("bindings/core/Cargo.toml is missing: this is not a complete checkout");
  }
  if (findProgram(["cargo"]) === undefined) {
    throw new BuildError("a Rust toolchain is needed to build the core: https://rustup.rs");
  }
  const finished = report.started("native core", `${profile}; the first build takes minutes`);
  stamp.clear();
  const staging = join(root, "dist/bindings/.staging");
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  await runTool(process.execPath, commandLine(root, staging, isDebug), {
    cwd: root,
    isQuiet,
    failure: "the native core does not build",
  });
  const built = readFileSync(join(staging, "core.d.ts"), "utf8");
  installFile(join(staging, "index.node"), addon);
  writeWhenChanged(types, built);
  rmSync(staging, { recursive: true, force: true });
  stamp.write(print);
  finished();
}

/** @param {string} root @param {string} staging @param {boolean} isDebug */
function commandLine(root, staging, isDebug) {
  const args = [join(root, NAPI_CLI), "build"];
  args.push("--manifest-path", "bindings/core/Cargo.toml");
  args.push("--package-json-path", "package.json");
  args.push("--output-dir", staging, "--dts", "core.d.ts");
  if (!isDebug) args.push("--release");
  return args;
}

/** @param {string} path @param {string} text */
function writeWhenChanged(path, text) {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
