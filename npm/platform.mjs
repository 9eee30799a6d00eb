import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { BuildError, findProgram, installFile, runTool } from "../bindings/builder/tool.mjs";
import { compareVersions, foreignLibraries, glibcFloor } from "./elf.mjs";

const TARGET = "x86_64-unknown-linux-gnu";

/**
 * @typedef {object} PackContext
 * @property {string} root folder of the checkout
 * @property {string} staging folder for unpacked packages
 * @property {string} platform name of a template folder beside this file
 */

/**
 * @typedef {object} Library
 * @property {string} file
 * @property {number} bytes
 * @property {string} glibc oldest glibc on which it loads, as its symbols say
 */

/**
 * Builds the core against an old glibc and a shim for each Node, and lays them out as a package.
 *
 * @param {PackContext} context
 * @param {{ prefixes: readonly string[], glibc: string | undefined }} choice installations of Node
 *   to build shims for beside the running one; the glibc to link against, or "host"
 * @returns {Promise<{ name: string, folder: string, core: Library, shims: Library[] }>}
 */
export async function stagePlatform({ root, staging, platform }, { prefixes, glibc }) {
  const template = JSON.parse(readFileSync(join(root, "npm", platform, "package.json"), "utf8"));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { glibcFloor: floor, ...manifest } = template;
  const folder = join(staging, platform);
  mkdirSync(folder, { recursive: true });

  installFile(await buildCore(root, glibc ?? floor), join(folder, "foundation.node"));
  await buildShims(root, prefixes);
  const built = join(root, "dist/bindings");
  for (const name of readdirSync(built).filter((entry) => /^shim\.abi\d+\.node$/.test(entry))) {
    installFile(join(built, name), join(folder, name));
  }
  const limit = glibc === "host" ? undefined : (glibc ?? floor);
  const libraries = readdirSync(folder)
    .filter((name) => name.endsWith(".node"))
    .map((name) => checked(join(folder, name), limit));

  const files = libraries.map(({ file }) => file);
  const text = { ...manifest, version, main: "foundation.node", files };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(text, undefined, 2)}\n`);
  cpSync(join(root, "npm", platform, "README.md"), join(folder, "README.md"));
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  const [core, ...shims] = libraries;
  if (core === undefined) throw new BuildError("the platform's package has no core");
  return { name: manifest.name, folder, core, shims };
}

/**
 * A library's measure; refused where it would not load on the oldest promised system.
 *
 * @param {string} file
 * @param {string | undefined} limit
 * @returns {Library}
 */
function checked(file, limit) {
  const glibc = glibcFloor(file);
  const name = basename(file);
  if (limit !== undefined && compareVersions(glibc, limit) > 0) {
    throw new BuildError(`${name} needs glibc ${glibc}, and the package promises ${limit}`);
  }
  const foreign = foreignLibraries(file).filter(() => limit !== undefined);
  if (foreign.length > 0) {
    throw new BuildError(`${name} needs ${foreign.join(", ")}, which a small system may not have`);
  }
  return { file: name, bytes: statSync(file).size, glibc };
}

/** @param {string} root @param {string} glibc version, or "host" @returns {Promise<string>} */
async function buildCore(root, glibc) {
  const folder = process.env["CARGO_TARGET_DIR"] ?? join(root, "native/target");
  const args = ["--locked", "--release", "--manifest-path", "bindings/core/Cargo.toml"];
  const env = { ...process.env, CARGO_PROFILE_RELEASE_STRIP: "debuginfo", CARGO_INCREMENTAL: "0" };
  const failure = "the native core does not build";
  if (glibc === "host") {
    await runTool("cargo", ["build", ...args, "--target", TARGET], {
      cwd: root,
      env,
      isQuiet: true,
      failure,
    });
  } else {
    const builder = findProgram(["cargo-zigbuild"]);
    if (builder === undefined) {
      throw new BuildError(
        `linking against glibc ${glibc} needs zig and cargo-zigbuild ` +
          "(pip install ziglang cargo-zigbuild); --host links against this machine's",
      );
    }
    const target = `${TARGET}.${glibc}`;
    await runTool(builder, ["zigbuild", ...args, "--target", target], {
      cwd: root,
      env,
      isQuiet: true,
      failure,
    });
  }
  return join(folder, TARGET, "release/libfoundation_core.so");
}

/**
 * Runs the build under each Node: it makes the shim of the Node that runs it.
 *
 * @param {string} root
 * @param {readonly string[]} prefixes
 */
async function buildShims(root, prefixes) {
  const nodes = [process.execPath, ...prefixes.map((prefix) => join(prefix, "bin/node"))];
  for (const node of nodes) {
    await runTool(node, [join(root, "bindings/build.mjs"), "--quiet"], {
      cwd: root,
      isQuiet: true,
      failure: `the shim for ${node} does not build`,
    });
  }
}
