#!/usr/bin/env node
// Runs the proofs, each in a process of its own: every `*.mjs` beside this file but this one.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const FOLDER = dirname(fileURLToPath(import.meta.url));
/** What a proof may take. Unit: ms. Only one that hangs meets it: bars take hours. */
const FULL_LIMIT_MS = 6 * 3_600_000;
const SHORT_LIMIT_MS = 300_000;

const USAGE = `Usage: npm run prove -- [options]

Tries again and again what must hold however often it is tried; ends with 0 if all of it held.

  --only NAME     only this proof; may be given several times
  --cycles N      tries of each proof, instead of its own number
  --seed N        seed of what is random; each proof prints the one it took
  --short         the few tries of a check in passing
  --list          names the proofs, and what each shows
  --json FILE     writes the record of the run
  --record FILE   writes the record as a page
  --help          shows this text
`;

const text = /** @type {const} */ ({ type: "string" });
const flag = /** @type {const} */ ({ type: "boolean", default: false });
const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    ...{ cycles: text, seed: text, json: text, record: text },
    ...{ short: flag, list: flag, help: flag },
  },
});

function proofs() {
  const names = readdirSync(FOLDER)
    .filter((file) => file.endsWith(".mjs") && file !== "run.mjs")
    .map((file) => file.slice(0, -".mjs".length));
  const unknown = values.only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`no proof '${unknown[0]}'; there are ${names.join(", ")}`);
  return values.only === undefined ? names : names.filter((name) => values.only?.includes(name));
}

// V8's young generation doubles after tens of thousands of cycles: memory that nobody left behind.
const NODE_FLAGS = ["--expose-gc", "--max-semi-space-size=1"];

// Once large blocks were freed, glibc keeps up to 64 MiB of freed memory; a threshold that is set
// does not grow. Then what stays is what somebody holds.
const MALLOC = { MALLOC_TRIM_THRESHOLD_: "131072", MALLOC_MMAP_THRESHOLD_: "131072" };

/** Starts a proof and resolves with its end and the last line that it printed. */
async function start(name, args, limitMs) {
  const path = join(FOLDER, `${name}.mjs`);
  const child = spawn(process.execPath, [...NODE_FLAGS, path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...MALLOC, RUST_BACKTRACE: "0" }, // panics on purpose need no page
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  const [exitCode, signal] = await new Promise((resolve) => {
    child.once("close", (...end) => resolve(end));
  });
  clearTimeout(timer);
  const last = output.trim().split("\n").at(-1) ?? "";
  return { end: signal ?? exitCode, last };
}

async function prove(name) {
  const described = (await start(name, ["--describe"], SHORT_LIMIT_MS)).last;
  const { title, cycles } = JSON.parse(described);
  process.stdout.write(`${name}: ${title}\n`);
  if (values.short && values.cycles === undefined && cycles.short === 0) {
    process.stdout.write("  left out of the short run\n");
    return [];
  }
  const args = values.short ? ["--short"] : [];
  if (values.cycles !== undefined) args.push("--cycles", values.cycles);
  if (values.seed !== undefined) args.push("--seed", values.seed);
  const { end, last } = await start(name, args, values.short ? SHORT_LIMIT_MS : FULL_LIMIT_MS);
  let record = { cycles: 0, seconds: 0, failures: [`ended with ${end}, without a record`] };
  if (last.startsWith("{")) record = JSON.parse(last);
  const isProven = end === 0 && record.failures.length === 0;
  for (const failure of record.failures) process.stdout.write(`  FAILED: ${failure}\n`);
  process.stdout.write(`  ${isProven ? "held" : "FAILED"}: ${record.cycles} cycles, `);
  process.stdout.write(`${record.seconds} s\n`);
  return [{ name, title, isProven, ...record }];
}

function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    foundation: JSON.parse(readFileSync(join(FOLDER, "../../package.json"), "utf8")).version,
    date: new Date().toISOString().slice(0, 10),
  };
}

const MEMORY = { residentBytes: "RSS", arenaResidentBytes: "of it the arena" };

/** Figures of a proof in one cell: the last ones of each kind, memory in MiB. */
function figuresText(figures) {
  const entries = Object.entries(figures ?? {}).flatMap(([key, value]) => {
    if (typeof value !== "object" || value === null) return [`${key} ${value}`];
    const inner = Object.entries(value).map(([name, count]) =>
      name in MEMORY ? `${MEMORY[name]} ${Math.round(count / 2 ** 20)} MiB` : `${name} ${count}`,
    );
    return [`${key}: ${inner.join(", ")}`];
  });
  return entries.join("; ");
}

function page(records, host) {
  const lines = [
    "# Proofs",
    "",
    "Written by `npm run prove -- --record docs/prove.md`: what was tried, how often, and what",
    "the process held. *Warm* is the moment that later ones are compared with: each holding is",
    "within 5 % of it, memory within 5 % or 8 MiB.",
    "",
    `${host.processor}, ${host.cores} cores, ${host.memoryGiB} GiB, ${host.system}; ` +
      `Node ${host.node}; foundation-runtime ${host.foundation}; ${host.date}.`,
    "",
    "| proof | shows that | cycles | result | seconds | seed | figures |",
    "|---|---|---|---|---|---|---|",
  ];
  for (const { name, title, cycles, isProven, seconds, seed, figures } of records) {
    const result = isProven ? "held" : "FAILED";
    const cells = [`\`${name}\``, title, cycles, result, seconds, seed, figuresText(figures)];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}

async function main() {
  if (values.help) return void process.stdout.write(USAGE);
  const records = [];
  for (const name of proofs()) {
    if (values.list) {
      const { title } = JSON.parse((await start(name, ["--describe"], SHORT_LIMIT_MS)).last);
      process.stdout.write(`${name.padEnd(24)} ${title}\n`);
    } else {
      records.push(...(await prove(name)));
    }
  }
  if (values.list) return;
  const host = machine();
  const failed = records.filter(({ isProven }) => !isProven).length;
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ host, records }, null, 2)}\n`);
  }
  if (values.record !== undefined) writeFileSync(values.record, page(records, host));
  process.stdout.write(`\n${records.length - failed} held, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
