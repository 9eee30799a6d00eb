import { parseArgs } from "node:util";

/**
 * One proof: something that must hold however often it is tried.
 *
 * @typedef {object} Proof
 * @property {string} title what holds
 * @property {{ full: number, short: number }} cycles how often it is tried; a short run leaves out
 *   a proof with 0
 * @property {(context: Context) => Promise<Record<string, unknown>>} run figures worth keeping
 */

/**
 * @typedef {object} Context
 * @property {number} cycles
 * @property {number} seed
 * @property {() => number} random in [0, 1), from the seed
 * @property {(text: string) => void} progress
 * @property {(holds: boolean, text: string) => void} expect
 */

/** mulberry32: small, and the same everywhere. @param {number} seed */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Runs a proof in this process: progress on the error stream, one line of JSON on the standard
 * output, exit code 1 unless everything held.
 *
 * @param {Proof} proof
 */
export async function prove({ title, cycles: counts, run }) {
  const number = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean", default: false });
  const { values } = parseArgs({
    options: { cycles: number, seed: number, short: flag, describe: flag },
  });
  if (values.describe) {
    process.stdout.write(`${JSON.stringify({ title, cycles: counts })}\n`);
    return;
  }
  const cycles = Number(values.cycles ?? (values.short ? counts.short : counts.full));
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  process.stderr.write(`  seed ${seed}, ${cycles} cycles\n`);
  /** @type {string[]} */
  const failures = [];
  const context = {
    cycles,
    seed,
    random: generator(seed),
    progress: (/** @type {string} */ text) => process.stderr.write(`  ${text}\n`),
    expect: (/** @type {boolean} */ holds, /** @type {string} */ text) => {
      if (!holds) failures.push(text);
    },
  };
  const startMs = performance.now();
  let figures = {};
  try {
    figures = await run(context);
  } catch (error) {
    failures.push(error instanceof Error ? String(error.stack) : String(error));
  }
  const seconds = Number(((performance.now() - startMs) / 1000).toFixed(1));
  process.exitCode = failures.length === 0 ? 0 : 1;
  const record = { cycles, seed, seconds, failures: failures.slice(0, 20), figures };
  process.stdout.write(`${JSON.stringify(record)}\n`, () => process.exit());
}
