/**
 * Where the time of a case goes: runs one round of ours under `perf record` and prints each busy
 * thread's share of one core, and the functions in which it was. A sampling profile by the clock:
 * it slows what it measures by some percent.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const USAGE = `Usage: node bench/profile.mjs SUITE --case TEXT

Needs perf (Debian: linux-perf) and the right to sample the whole machine.`;

const RUNNER = fileURLToPath(new URL("run.mjs", import.meta.url));
const SAMPLES_PER_SECOND = 1999;
/** Threads and functions below these shares of one core are left out. */
const THREAD_SHARE = 0.02;
const FUNCTION_SHARE = 0.004;

function run(program, args, options = {}) {
  const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 30, ...options });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) throw new Error(`${program} ended with ${done.signal ?? done.status}`);
  return done.stdout;
}

/** One sample a line: the thread's name, its number, the time, the address, function and file. */
const SAMPLE = /^\s*(.*?)\s+(\d+)\s+([\d.]+):\s+[0-9a-f]+ (.*) \((.*)\)$/;

/** Samples of each thread by function, and between which moments it was seen. */
function byThread(script) {
  const threads = new Map();
  for (const line of script.split("\n")) {
    const [, name, id, time, place, file] = SAMPLE.exec(line) ?? [];
    if (id === undefined || id === "0") continue;
    const found = threads.get(id);
    const thread = found ?? { name, first: Number(time), last: 0, count: 0, functions: new Map() };
    if (found === undefined) threads.set(id, thread);
    thread.last = Number(time);
    thread.count += 1;
    const known = place === "[unknown]" ? `compiled code of ${file}` : place;
    thread.functions.set(known, (thread.functions.get(known) ?? 0) + 1);
  }
  return threads;
}

function print(threads) {
  for (const [id, { name, first, last, count, functions }] of threads) {
    const samples = (last - first) * SAMPLES_PER_SECOND;
    if (samples < SAMPLES_PER_SECOND || count / samples < THREAD_SHARE) continue;
    const percent = (part) => `${((100 * part) / samples).toFixed(1).padStart(5)} %`;
    process.stdout.write(`\n${name} ${id}: ${percent(count).trim()} of a core\n`);
    const sorted = [...functions].toSorted(([, left], [, right]) => right - left);
    for (const [place, part] of sorted) {
      if (part / samples < FUNCTION_SHARE) break;
      process.stdout.write(`  ${percent(part)}  ${place.slice(0, 90)}\n`);
    }
  }
}

function main(words) {
  if (words.length === 0 || words.includes("--help"))
    return void process.stdout.write(`${USAGE}\n`);
  const folder = mkdtempSync(join(tmpdir(), "foundation-profile-"));
  try {
    const data = join(folder, "perf.data");
    const recording = ["record", "-a", "-q", "-e", "cpu-clock", "-F", `${SAMPLES_PER_SECOND}`];
    const round = [process.execPath, RUNNER, ...words, "--ours-only", "--rounds", "1"];
    process.stdout.write(run("perf", [...recording, "-o", data, "--", ...round]));
    const fields = "comm,tid,time,ip,sym,dso";
    print(byThread(run("perf", ["script", "-i", data, "-F", fields])));
    process.stdout.write(`\n${availableParallelism()} cores\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`profile: ${error.message}\n`);
  process.exitCode = 1;
}
