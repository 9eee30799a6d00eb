import { existsSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { bundle } from "./bundle.mjs";
import { filesBelow, fingerprint, Stamp } from "./stamp.mjs";
import { installFile, runTool } from "./tool.mjs";

const COMPILER = "node_modules/typescript/bin/tsc";

/** Folders of TypeScript sources; the output has the same names below `dist`. */
const SOURCE_FOLDERS = ["ts", "bindings"];

const INPUTS = [...SOURCE_FOLDERS, "tsconfig.json", "package.json", "package-lock.json", COMPILER];

/** The compiler's memory of its last run; it lies when outputs were deleted behind its back. */
const COMPILER_STATE = "dist/.tsbuildinfo";

/**
 * Checks the TypeScript and writes its declarations, removes those whose source is gone, ships the
 * generated ones, and bundles the JavaScript.
 *
 * @param {import("../build.mjs").BuildContext} context
 */
export async function buildTypeScript({ root, stamps, isQuiet, report }) {
  const stamp = new Stamp(stamps, "typescript");
  const print = fingerprint(root, INPUTS, {}, /(\.ts|\.json|tsc|bundle\.mjs)$/);
  const outputs = [join(root, "dist/ts"), join(root, "dist/bindings/load.js")];
  if (stamp.matches(print, outputs)) return report.upToDate("typescript");

  const finished = report.started("typescript");
  stamp.clear();
  if (!outputs.every(existsSync)) rmSync(join(root, COMPILER_STATE), { force: true });
  const args = [join(root, COMPILER), "-p", "tsconfig.json", "--pretty", "false"];
  await runTool(process.execPath, args, {
    cwd: root,
    isQuiet,
    failure: "the TypeScript does not compile",
  });
  removeOrphans(root);
  shipGeneratedTypes(root);
  await bundle(root);
  stamp.write(print);
  finished();
}

/** A deleted source must not live on in the package's types. @param {string} root */
function removeOrphans(root) {
  for (const folder of SOURCE_FOLDERS) {
    for (const output of filesBelow(join(root, "dist", folder))) {
      const [, stem] = /^(.*)\.d\.ts$/.exec(output) ?? [];
      if (stem === undefined) continue;
      const source = join(root, relative(join(root, "dist"), stem));
      if (!existsSync(`${source}.ts`) && !existsSync(`${source}.d.ts`)) rmSync(output);
    }
  }
}

/** The compiler does not copy declaration files that were not its own. @param {string} root */
function shipGeneratedTypes(root) {
  for (const folder of SOURCE_FOLDERS) {
    for (const source of filesBelow(join(root, folder))) {
      if (source.endsWith(".d.ts")) installFile(source, join(root, "dist", relative(root, source)));
    }
  }
}
