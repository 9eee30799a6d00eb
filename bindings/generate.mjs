#!/usr/bin/env node
// Writes bindings/generated/layout.ts from the tables of the built core, so that both sides of the
// shared memory read one source. `--check` compares instead and fails on a difference.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const core = fileURLToPath(new URL("../dist/bindings/foundation_core.node", import.meta.url));
const target = fileURLToPath(new URL("generated/layout.ts", import.meta.url));
if (!existsSync(core)) {
  process.stderr.write("the native core is not built: run `npm run build` first\n");
  process.exit(2);
}
const { layoutTable } = createRequire(import.meta.url)(core);

const DESCRIPTIONS = {
  ring: "Offsets and limits of a ring block (native/ring/src/layout.rs). Unit: bytes.",
  record: "Kinds, tag bits and offsets of ring records (native/node/src/record.rs).",
};

function constants() {
  const rooms = new Map();
  for (const { room, name, value } of layoutTable()) {
    const key = room === "ring" ? name.replace(/^RING_/, "") : name;
    rooms.set(room, [...(rooms.get(room) ?? []), `  ${key}: ${value},`]);
  }
  const parts = ["// Written by bindings/generate.mjs from the native core. Do not edit."];
  for (const [room, lines] of rooms) {
    parts.push(`/** ${DESCRIPTIONS[room]} */`);
    parts.push(`export const ${room.toUpperCase()} = {\n${lines.join("\n")}\n} as const;\n`);
  }
  return `${parts.join("\n")}`;
}

const text = constants();
const current = existsSync(target) ? readFileSync(target, "utf8") : "";
if (process.argv.includes("--check")) {
  if (text !== current) {
    process.stderr.write(
      "bindings/generated/layout.ts is stale: run `node bindings/generate.mjs`\n",
    );
    process.exit(1);
  }
} else if (text !== current) {
  writeFileSync(target, text);
}
