#!/usr/bin/env node
// Installs the packed tarballs as a user will: from a registry, in an empty folder, without install
// scripts and without a compiler, with several package managers; then sends messages with what was
// installed, under every supported Node.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { findProgram } from "../bindings/builder/tool.mjs";
import { startRegistry } from "./registry.mjs";
import { fetchTools } from "./tools.mjs";

const run = promisify(execFile);

const USAGE = `Usage: npm run package:try -- [options]

Installs build/pack's tarballs with npm 11, npm 12 and pnpm and runs them on Node 20, 22 and 24.

  --packs DIR   tarballs and manifest.json of \`npm run package\` (default build/pack)
  --out DIR     where tools and installations go (default build/try)
  --help        show this text
`;

/** Words that a clean installation does not print. */
const WARNING = /\bwarn(?:ing)?\b|\bdeprecated\b|\berr(?:or)?\b/i;

/** What the installed package has to do: README's program, and the command. */
const EXPECTED = "4 readings: garden: 18.5 °C, garden: 19 °C, garden: 21 °C, garden: 23.5 °C";

/** Shows that the shim of the running Node came along, and what else can be imported. */
const CAPABILITIES = `
import { capabilities, Config, Foundation } from "foundation-runtime";
import { Nodes } from "foundation-runtime/beam";
import { section, v } from "foundation-runtime/schema";
const schemas = { shop: section({ open: v.optional(v.boolean(), true) }) };
await Foundation.initialize({ config: { schemas } });
const bare = await Nodes.attach();
console.log(capabilities().sharedAllocation && Config.get(["shop", "open"]));
bare.detach();
await Foundation.shutdown();
`;

/**
 * @typedef {object} Client
 * @property {string} name
 * @property {string} node Node of its surroundings
 * @property {readonly string[]} command program and arguments
 */

/** @param {import("./tools.mjs").Tools} tools @returns {Client[]} */
function clients({ node20, node24, npm11, npm12, pnpm }) {
  const quiet = ["--no-audit", "--no-fund"];
  const noScripts = "--ignore-scripts";
  return [
    { name: "npm 11", node: node20, command: [node20, npm11, "install", noScripts, ...quiet] },
    { name: "npm 12", node: node24, command: [node24, npm12, "install", noScripts, ...quiet] },
    // As a user types it: this one would tell if any package wanted to run a script.
    {
      name: "npm 12, scripts allowed",
      node: node24,
      command: [node24, npm12, "install", ...quiet],
    },
    { name: "pnpm", node: node20, command: [pnpm, "add", noScripts] },
  ];
}

/**
 * Surroundings without a Rust toolchain, with caches and settings of their own.
 *
 * @param {string} home
 * @param {string} node
 */
function surroundings(home, node) {
  const path = [join(node, ".."), "/usr/bin", "/bin"].join(":");
  process.env["PATH"] = path;
  const compiler = findProgram(["cargo", "rustc"]);
  if (compiler !== undefined) throw new Error(`${compiler} is on the PATH of this trial`);
  return {
    PATH: path,
    HOME: home,
    NO_COLOR: "1",
    npm_config_cache: join(home, "cache"),
    npm_config_update_notifier: "false",
  };
}

/**
 * @param {Client} client
 * @param {string} folder
 * @param {string} registry
 * @param {NodeJS.ProcessEnv} env
 */
async function install(client, folder, registry, env) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, ".npmrc"), `registry=${registry}\n`);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const [program = "", ...args] = [...client.command, "foundation-runtime"];
  const { stdout, stderr } = await run(program, args, { cwd: folder, env });
  const log = `${stdout}${stderr}`;
  writeFileSync(join(folder, "install.log"), log);
  const warning = log.split("\n").find((line) => WARNING.test(line));
  if (warning !== undefined) throw new Error(`the installation warns: ${warning}`);
}

/**
 * @param {string} node
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
async function sendMessages(node, folder, env) {
  const { stdout } = await run(node, ["message.mjs"], { cwd: folder, env, timeout: 30_000 });
  const said = stdout.trim();
  if (said !== EXPECTED) throw new Error(`the program printed ${JSON.stringify(said)}`);
  const shim = await run(node, ["capabilities.mjs"], { cwd: folder, env, timeout: 30_000 });
  if (shim.stdout.trim() !== "true") throw new Error("no shim, or no parts");
  const command = join(folder, "node_modules/foundation-runtime/dist/ts/cli/main.js");
  const help = await run(node, [command, "--help"], { cwd: folder, env, timeout: 30_000 });
  if (!help.stdout.includes("foundation")) throw new Error("foundation --help says nothing");
}

/**
 * @param {string} what
 * @param {() => Promise<void>} work
 * @param {{ passed: number, failed: number }} counts
 */
async function attempt(what, work, counts) {
  try {
    await work();
    counts.passed++;
    process.stdout.write(`ok      ${what}\n`);
    return true;
  } catch (error) {
    counts.failed++;
    const details = /** @type {{ stderr?: string, message: string }} */ (error);
    process.stdout.write(`FAILED  ${what}\n${details.message}\n${details.stderr ?? ""}\n`);
    return false;
  }
}

/**
 * One package manager's installation, used under every Node.
 *
 * @param {Client} client
 * @param {string} home
 * @param {{ registry: string, nodes: readonly string[], program: string }} given
 * @param {{ passed: number, failed: number }} counts
 */
async function trial(client, home, { registry, nodes, program }, counts) {
  const folder = join(home, "project");
  rmSync(home, { recursive: true, force: true });
  const env = surroundings(home, client.node);
  const what = `${client.name}: installs without a warning`;
  if (!(await attempt(what, () => install(client, folder, registry, env), counts))) return;
  writeFileSync(join(folder, "message.mjs"), program);
  writeFileSync(join(folder, "capabilities.mjs"), CAPABILITIES);
  for (const node of nodes) {
    const { stdout } = await run(node, ["--version"]);
    const work = () => sendMessages(node, folder, env);
    await attempt(`${client.name}: sends messages on Node ${stdout.trim()}`, work, counts);
  }
}

/** `package.json` of each packed tarball. @param {string} packs */
async function readManifests(packs) {
  const { packages } = JSON.parse(readFileSync(join(packs, "manifest.json"), "utf8"));
  const manifests = [];
  for (const { file } of packages) {
    const { stdout } = await run("tar", ["xzOf", join(packs, file), "package/package.json"]);
    manifests.push(JSON.parse(stdout));
  }
  return manifests;
}

async function main() {
  const text = /** @type {const} */ ({ type: "string" });
  const { values } = parseArgs({
    options: {
      packs: { ...text, default: "build/pack" },
      out: { ...text, default: "build/try" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const root = fileURLToPath(new URL("..", import.meta.url));
  const packs = resolve(root, values.packs);
  const out = resolve(root, values.out);
  const upstream = (await run("npm", ["config", "get", "registry"])).stdout.trim();
  const tools = await fetchTools(join(out, "tools"));
  const manifests = await readManifests(packs);
  const registry = await startRegistry(packs, manifests, upstream.replace(/\/$/, ""));
  const counts = { passed: 0, failed: 0 };
  try {
    const given = {
      registry: registry.url,
      nodes: [tools.node20, tools.node22, tools.node24],
      program: readFileSync(join(root, "examples/two-nodes.mjs"), "utf8"),
    };
    for (const [index, client] of clients(tools).entries()) {
      await trial(client, join(out, `client-${index}`), given, counts);
    }
  } finally {
    registry.close();
  }
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  if (counts.failed > 0) process.exitCode = 1;
}

await main();
