import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What only a checkout needs. */
const CHECKOUT_FIELDS = ["scripts", "devDependencies", "allowScripts"];

/**
 * Packages whose JavaScript is shipped inside ours, because one of their own dependencies has an
 * install script: nothing below an installed Foundation may ask to run one.
 */
const BUNDLED = ["msgpackr"];

/**
 * Lays the root package out: built JavaScript and types, without any native library.
 *
 * @param {import("./platform.mjs").PackContext} context
 * @param {string} platformPackage name of the package that brings the core
 * @returns {Promise<{ folder: string }>}
 */
export async function stageRoot({ root, staging }, platformPackage) {
  const folder = join(staging, "root");
  mkdirSync(folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const field of CHECKOUT_FIELDS) delete manifest[field];
  // Only here: in the repository `npm ci` would ask the registry for what is not published yet.
  manifest.optionalDependencies = { [platformPackage]: manifest.version };
  manifest.bundleDependencies = BUNDLED;
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const name of [...manifest.files, "README.md", "LICENSE"]) {
    const source = join(root, name);
    if (!existsSync(source)) continue;
    const filter = (/** @type {string} */ path) => !/\.(?:node|tsbuildinfo)$/.test(path);
    cpSync(source, join(folder, relative(root, source)), { recursive: true, filter });
  }
  for (const name of BUNDLED) bundle(join(root, "node_modules", name), folder, name);
  return { folder };
}

/**
 * Copies a package without the dependencies that are optional to it.
 *
 * @param {string} from
 * @param {string} folder
 * @param {string} name
 */
function bundle(from, folder, name) {
  const to = join(folder, "node_modules", name);
  cpSync(from, to, {
    recursive: true,
    dereference: true,
    filter: (path) => !relative(from, path).split("/").includes("node_modules"),
  });
  const path = join(to, "package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  delete manifest.optionalDependencies;
  delete manifest.scripts;
  delete manifest.devDependencies;
  writeFileSync(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
}
