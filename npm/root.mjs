import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What only a checkout needs. */
const CHECKOUT_FIELDS = ["scripts", "devDependencies", "allowScripts"];

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
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const name of [...manifest.files, "README.md", "LICENSE"]) {
    const source = join(root, name);
    if (!existsSync(source)) continue;
    const filter = (/** @type {string} */ path) => !/\.(?:node|tsbuildinfo)$/.test(path);
    cpSync(source, join(folder, relative(root, source)), { recursive: true, filter });
  }
  return { folder };
}
