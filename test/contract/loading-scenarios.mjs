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
  const { allocateShared, capabilities, Foundation, heavy, openShared } = await import(entry);
  const node = await Foundation.start({ name: "home" });
  const found = { node: node.name, capabilities: capabilities() };
  if (found.capabilities.sharedAllocation) {
    await node.leave();
    return found;
  }
  const limits = [{ stallMs: 1_000 }, { offHeapMiB: 64 }];
  const starts = limits.map((limit) =>
    node.beam.processes.start(heavy({ module: entry, export: "GenServer", ...limit })),
  );
  const refused = (await Promise.allSettled(starts)).map(({ reason }) => reason?.code);
  const calls = [
    () => allocateShared(64),
    () => openShared(1n),
    () => node.beam.watch({ stallMs: 1_000 }, () => {}),
  ];
  const codes = [...calls.map(codeOf), ...refused];
  await node.leave();
  return { ...found, codes };
}

const found = await load().catch(({ code, message }) => ({ code, message }));
process.stdout.write(`${JSON.stringify(found)}\n`);
