/**
 * A built tree for each side of a comparison: a folder as it is, or a commit that is unpacked and
 * built under build/compare/, where a second comparison finds it again. Both are measured by this
 * tree's bench, so that a change of the ruler is not taken for one of the product.
 */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TREES = join(ROOT, "build/compare");

/** Parts of the bench that belong to the machine and not to the ruler. */
const NOT_COPIED = new Set(["node_modules"]);

function run(command, words, cwd, more = {}) {
  return execFileSync(command, words, { cwd, stdio: ["ignore", "pipe", "inherit"], ...more });
}

function commitOf(name) {
  try {
    return String(
      run("git", ["rev-parse", "--verify", "--quiet", `${name}^{commit}`], ROOT),
    ).trim();
  } catch (error) {
    throw new Error(`"${name}" is neither a folder of this project nor a commit`, {
      cause: error,
    });
  }
}

/** The same dependencies are linked, others are installed. */
function addPackages(tree) {
  const lock = (folder) => readFileSync(join(folder, "package-lock.json"), "utf8");
  if (lock(tree) === lock(ROOT)) {
    symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  } else {
    run("npm", ["ci", "--no-audit", "--no-fund"], tree);
  }
}

function takeRuler(tree) {
  rmSync(join(tree, "bench"), { recursive: true, force: true });
  cpSync(join(ROOT, "bench"), join(tree, "bench"), {
    recursive: true,
    filter: (path) => !NOT_COPIED.has(path.split("/").at(-1)),
  });
}

/** Unpacks and builds a commit, once. */
function treeOf(commit, say) {
  const tree = join(TREES, commit);
  const isBuilt = join(tree, "build/compared");
  if (!existsSync(isBuilt)) {
    say(`building ${commit.slice(0, 10)} in ${tree}`);
    rmSync(tree, { recursive: true, force: true });
    mkdirSync(tree, { recursive: true });
    const archive = run("git", ["archive", commit], ROOT, { maxBuffer: 1 << 30 });
    run("tar", ["-x"], tree, { input: archive, stdio: ["pipe", "pipe", "inherit"] });
    addPackages(tree);
    // Builds of several commits share what they have in common.
    const env = { ...process.env, CARGO_TARGET_DIR: join(TREES, "target") };
    run("npm", ["run", "build"], tree, { env, stdio: ["ignore", "inherit", "inherit"] });
    mkdirSync(isBuilt, { recursive: true });
  }
  takeRuler(tree);
  return tree;
}

/**
 * The tree of one side, ready to be measured.
 *
 * @param {string} name a folder that is built, or anything that git knows a commit by
 * @param {(line: string) => void} say
 */
export function openTree(name, say) {
  const folder = resolve(name);
  if (existsSync(join(folder, "bench/run.mjs"))) {
    if (!existsSync(join(folder, "dist"))) throw new Error(`${name} is not built: npm run build`);
    return folder;
  }
  return treeOf(commitOf(name), say);
}
