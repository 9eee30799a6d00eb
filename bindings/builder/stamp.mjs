import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Folders that hold results of a build: they change with every build and never decide one. */
const OUTPUT_FOLDERS = new Set(["target", "node_modules", "build", "dist", "corpus", "artifacts"]);

/**
 * Every file below `path` (or `path` itself) in a stable order; absent paths yield nothing.
 *
 * @param {string} path
 * @returns {Generator<string>}
 */
export function* filesBelow(path) {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return;
  if (!entry.isDirectory()) {
    yield path;
    return;
  }
  for (const child of readdirSync(path, { withFileTypes: true }).sort(byName)) {
    if (child.isDirectory() && OUTPUT_FOLDERS.has(child.name)) continue;
    yield* filesBelow(join(path, child.name));
  }
}

/** @param {{ name: string }} left @param {{ name: string }} right */
function byName(left, right) {
  return left.name < right.name ? -1 : 1;
}

/**
 * Identity of a set of inputs: names, sizes and times of the files, plus the settings of the step.
 * Contents are not read, so the answer costs milliseconds; a deleted file changes it as well.
 *
 * @param {string} root folder that names are relative to
 * @param {readonly string[]} inputs files and folders, relative to `root`
 * @param {Record<string, string>} settings what else decides the output: profile, ABI, tool version
 * @param {RegExp} [relevant] which of the files count; all when left out
 * @returns {string}
 */
export function fingerprint(root, inputs, settings, relevant = /(?:)/) {
  const hash = createHash("sha256").update(JSON.stringify(settings));
  for (const input of inputs) {
    for (const file of filesBelow(join(root, input))) {
      if (!relevant.test(file)) continue;
      const { size, mtimeNs } = statSync(file, { bigint: true });
      hash.update(`\n${relative(root, file)} ${size} ${mtimeNs}`);
    }
  }
  return hash.digest("hex");
}

/** What a step was last built from; kept beside the outputs: deleting `dist` forgets both. */
export class Stamp {
  /** @type {string} */
  #path;

  /** @param {string} folder @param {string} step */
  constructor(folder, step) {
    this.#path = join(folder, `${step}.stamp`);
  }

  /**
   * Whether the last successful build had this fingerprint and left these outputs.
   *
   * @param {string} print
   * @param {readonly string[]} outputs absolute paths that must exist
   */
  matches(print, outputs) {
    for (const output of outputs) {
      if (statSync(output, { throwIfNoEntry: false }) === undefined) return false;
    }
    try {
      return readFileSync(this.#path, "utf8") === print;
    } catch {
      return false; // Never built, or the folder was deleted: the same thing.
    }
  }

  /** Records a successful build. @param {string} print */
  write(print) {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, print);
  }

  /** Forgets the last build before a new one starts: a failure is never taken for success. */
  clear() {
    rmSync(this.#path, { force: true });
  }
}
