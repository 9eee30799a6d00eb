// Loads the runtime of a given checkout or installation, and says what came of it:
// `node loading-scenarios.mjs ROOT`. Prints what it found as JSON.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = process.argv[2];

async function codeOf(call) {
  try {
    return `no error: ${String(await call())}`;
  } catch (error) {
    return error.code;
  }
}

async function load() {
  const entry = pathToFileURL(join(root, "dist/ts/index.js"));
  const { allocateShared, capabilities, Foundation, heavy, openShared } = await import(entry);
  const node = await Foundation.start({ name: "home" });
  const found = { node: node.name, capabilities: capabilities() };
  const start = (limit) =>
    node.beam.processes.start(heavy({ module: entry, export: "GenServer", ...limit }));
  const codes = {
    allocateShared: await codeOf(() => typeof allocateShared(64).id),
    openShared: await codeOf(() => openShared(1n).byteLength > 0),
    watch: await codeOf(() => typeof node.beam.watch({ stallMs: 1_000 }, () => {})),
    stallMs: await codeOf(async () => typeof (await start({ stallMs: 1_000 }))),
    offHeapMiB: await codeOf(async () => typeof (await start({ offHeapMiB: 64 }))),
  };
  await node.leave();
  return { ...found, codes };
}

const found = await load().catch(({ code, message }) => ({ code, message }));
process.stdout.write(`${JSON.stringify(found)}\n`);
