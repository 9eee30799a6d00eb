// Loads the runtime of a given checkout or installation, and says what came of it:
// `node loading-scenarios.mjs ROOT`. Prints what it found as JSON.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = process.argv[2];

function codeOf(call) {
  try {
    return `no error: ${String(call())}`;
  } catch (error) {
    return error.code;
  }
}

async function load() {
  const entry = pathToFileURL(join(root, "dist/ts/index.js"));
  const { allocateShared, capabilities, Foundation, openShared } = await import(entry);
  const node = await Foundation.start({ name: "home" });
  await node.leave();
  const found = { node: node.name, capabilities: capabilities() };
  if (found.capabilities.sharedAllocation) return found;
  return { ...found, codes: [codeOf(() => allocateShared(64)), codeOf(() => openShared(1n))] };
}

const found = await load().catch(({ code, message }) => ({ code, message }));
process.stdout.write(`${JSON.stringify(found)}\n`);
