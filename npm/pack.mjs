#!/usr/bin/env node
// Packs what is published: the root package, and this platform's package with the prebuilt core.
// Nothing is published here; the two tarballs lie in a folder, with a manifest beside them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BuildError, runTool } from "../bindings/builder/tool.mjs";
import { stagePlatform } from "./platform.mjs";
import { stageRoot } from "./root.mjs";
import { fetchTools } from "./tools.mjs";

const USAGE = `Usage: npm run package -- [options]

Builds and packs foundation-runtime and its package for this platform.

  --out DIR       where the tarballs go (default build/pack)
  --node PREFIX   also build the shim for the Node.js installed there (bin/, include/); repeatable
  --all-nodes     also build the shims for Node.js 22 and 24, fetched from npm into build/try/tools
  --glibc VERSION oldest glibc that the core has to load on (default: the platform's own floor);
                  needs zig and cargo-zigbuild: pip install ziglang cargo-zigbuild
  --host          link against this machine's glibc instead: for trying, not for publishing
  --help          show this text
`;

/** Platforms that have a template beside this file. */
const PLATFORM = "linux-x64-gnu";

function readOptions() {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean", default: false });
  const options = {
    out: { ...text, default: "build/pack" },
    node: { ...text, multiple: /** @type {const} */ (true), default: [] },
    "all-nodes": flag,
    glibc: text,
    host: flag,
    help: flag,
  };
  try {
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (cause) {
    throw new BuildError(`${/** @type {Error} */ (cause).message}\n\n${USAGE}`, { cause });
  }
}

/** @param {string} folder staged package @param {string} out @param {string} root */
async function npmPack(folder, out, root) {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  await runTool("npm", ["pack", folder, "--pack-destination", out, "--ignore-scripts"], {
    cwd: root,
    isQuiet: true,
    failure: `npm cannot pack ${name}`,
  });
  return { name, version, file: `${name}-${version}.tgz` };
}

async function main() {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new BuildError(`no template for ${process.platform}-${process.arch} in npm/ yet`);
  }
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const out = resolve(root, options.out);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const context = { root, staging: join(out, ".staging"), platform: PLATFORM };
  const prefixes = [...options.node];
  if (options["all-nodes"]) {
    const { node22, node24 } = await fetchTools(join(root, "build/try/tools"));
    prefixes.push(...[node22, node24].map((node) => dirname(dirname(node))));
  }
  const platform = await stagePlatform(context, {
    prefixes,
    glibc: options.host ? "host" : options.glibc,
  });
  const rootPackage = await stageRoot(context, platform.name);
  const packages = [
    await npmPack(platform.folder, out, root),
    await npmPack(rootPackage.folder, out, root),
  ];
  rmSync(context.staging, { recursive: true, force: true });
  const manifest = { packages, core: platform.core, shims: platform.shims };
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  writeFileSync(join(out, "manifest.json"), text);
  process.stdout.write(text);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`${error.output}pack: ${error.message}\n`);
  process.exitCode = 1;
}
