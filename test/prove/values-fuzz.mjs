// Values from bytes that a peer may have made up, and the copies of the core that carry them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { checkBundle } from "./harness/bundle-check.mjs";
import { CopiesUnderFire } from "./harness/copies-fuzz.mjs";
import { core } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { ValueBytes } from "./harness/value-bytes.mjs";
import { checkValue, polluted, unfoundMistakes } from "./harness/value-check.mjs";

const ASAN = fileURLToPath(new URL("../../bindings/asan.mjs", import.meta.url));
/** Executions of a check in passing. */
const SHORT = 200_000;
/** Executions in which each planted mistake has to be found. */
const PLANTED_WITHIN = 10_000;
/** Values that share their shapes, as in a bundle. */
const BUNDLE_MAX = 16;
/** Of these executions one looks for what a single one does not show. */
const LOOK_EVERY = 4096;
/** Memory above that of the first look. Unit: bytes. */
const RESIDENT_GROWTH_MAX = 256 << 20;

/**
 * The same in a copy of the tree whose core is built with AddressSanitizer.
 *
 * @param {import("./harness/prove.mjs").Context} context
 */
async function runUnderSanitizer({ cycles, seed, expect }) {
  const program = [ASAN, "--program", "test/prove/values-fuzz.mjs"];
  const args = [...program, "--cycles", String(cycles), "--seed", String(seed)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, "close");
  const record = /^{"cycles".*$/m.exec(output)?.[0];
  if (record === undefined) throw new Error(`no record of the run under the sanitizer: ${output}`);
  const { failures, figures } = JSON.parse(record);
  for (const failure of failures) expect(false, failure);
  expect(code === 0 && output.includes("AddressSanitizer: 0 reports"), output.slice(-4000));
  return figures;
}

/** @param {import("./harness/prove.mjs").Context} context */
async function run(context) {
  const isSanitized = core.useAfterFreeForTest !== undefined;
  // A check in passing spares the time of the build; CI's own lane for the sanitizer runs this too.
  if (context.cycles > SHORT && !isSanitized) return runUnderSanitizer(context);
  return runHere(context, isSanitized);
}

/**
 * @param {import("./harness/prove.mjs").Context} context
 * @param {boolean} isSanitized
 */
async function runHere({ cycles, random, progress, expect }, isSanitized) {
  const inputs = new ValueBytes(random);
  for (const mistake of unfoundMistakes(inputs, PLANTED_WITHIN)) {
    expect(false, `a planted mistake was not found: ${mistake}`);
  }
  const copies = await CopiesUnderFire.start(random);
  const addressSanitizer = isSanitized ? "on" : "off";
  const figures = {
    addressSanitizer,
    accepted: 0,
    refused: 0,
    bundled: 0,
    copies: 0,
    copiesRefused: 0,
  };
  /** @type {Uint8Array[]} */
  let bundle = [];
  let warmBytes = 0;
  let peakBytes = 0;
  /** @type {unknown[] | undefined} */
  let shapes;
  const startMs = performance.now();
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const made = inputs.next();
    if (cycle % BUNDLE_MAX === 0) shapes = random() < 0.5 ? [] : undefined;
    try {
      const { memory, start } = copies.carry(made);
      const { original } = inputs;
      const place = { start, end: start + made.length, shapes, original };
      if (checkValue(memory, place)) figures.accepted += 1;
      else figures.refused += 1;
      if (cycle % 4 === 0) copies.attack();
      if (cycle % 8 === 0) bundle.push(made);
      if (bundle.length === BUNDLE_MAX) {
        figures.bundled += checkBundle(bundle, random);
        bundle = [];
      }
    } catch (thrown) {
      const text = thrown instanceof Error ? thrown.stack : String(thrown);
      expect(false, `execution ${cycle}: ${Buffer.from(made).toString("hex")}: ${text}`);
      break;
    }
    if (cycle % LOOK_EVERY !== 0 && cycle !== cycles) continue;
    const added = polluted();
    expect(added === undefined, `execution ${cycle}: something was added to the ${added}`);
    const residentBytes = process.memoryUsage.rss();
    if (cycle <= 16 * LOOK_EVERY) warmBytes = Math.max(warmBytes, residentBytes);
    peakBytes = Math.max(peakBytes, residentBytes);
    if (added !== undefined) break;
    if (cycle % (LOOK_EVERY * 128) === 0) progress(`${cycle} of ${cycles}`);
  }
  figures.copies = copies.count;
  figures.copiesRefused = copies.refused;
  expect(peakBytes - warmBytes < RESIDENT_GROWTH_MAX, `memory grew to ${peakBytes >> 20} MiB`);
  expect(figures.bundled > cycles / 1000, `${figures.bundled} messages of bundles`);
  expect(figures.accepted > cycles / 20 && figures.refused > cycles / 20, "one kind is missing");
  await copies.end(expect);
  const perSecond = Math.round((cycles / (performance.now() - startMs)) * 1000);
  return { ...figures, perSecond, residentMiB: Math.round(peakBytes / 2 ** 20) };
}

const title = "values that a peer made up are refused or read, and nothing else happens";
await prove({ title, cycles: { full: 10_000_000, short: SHORT }, run });
