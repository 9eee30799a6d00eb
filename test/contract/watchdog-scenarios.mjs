// What the watchdog keeps of its promises at the edges. Each scenario is a process of its own,
// since a crash must be seen: `node watchdog-scenarios.mjs NAME [ARGUMENT]`. Prints what it found.

import { spawnSync } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Foundation, heavy } from "../../dist/ts/index.js";
import { outcome } from "./outcomes.mjs";

const core = createRequire(import.meta.url)("../../dist/bindings/foundation_core.node");
const [, , name, argument] = process.argv;
const module = new URL("./guarded-servers.mjs", import.meta.url);

/** Isolates that come and go together. */
const AT_A_TIME = 4;

const start = (node, limits) =>
  node.beam.processes.start(heavy({ module, export: "Guarded", ...limits }));

/** The names of this process's threads, as the system has them. */
const threads = () =>
  readdirSync("/proc/self/task")
    .map((id) => readFileSync(`/proc/self/task/${id}/comm`, "utf8").trim())
    .toSorted();

const figures = () => ({
  threads: threads(),
  files: readdirSync("/proc/self/fd").length,
  isolates: core.boundaryCounters().isolates,
  residentBytes: process.memoryUsage.rss(),
});

async function until(holds) {
  for (const lateMs = performance.now() + 30_000; !holds(); ) {
    if (performance.now() > lateMs) throw new Error("it did not come about");
    await turn();
  }
}

/**
 * Starts a process, has it do something, and answers with how it ended: on a machine that has much
 * else to do, its start may exceed its limit already.
 */
async function endOf(node, limits, work) {
  const pid = await start(node, limits).catch((thrown) => thrown);
  if (pid instanceof Error) return pid.context.reason;
  const ended = node.beam.processes.exitOf(pid);
  node.beam.processes.cast(pid, work);
  return ended;
}

/** How many rounds of a derivation take about so long. */
function roundsOf(ms) {
  const beganMs = performance.now();
  pbkdf2Sync("password", "salt", 100_000, 64, "sha512");
  return Math.ceil((100_000 * ms) / (performance.now() - beganMs));
}

const kindOf = (reason) => reason?.kind ?? String(reason);

const scenarios = {
  /** Guarded isolates come and go: one in two is ended by its guard, the others by `kill`. */
  async comeAndGo() {
    const node = await Foundation.start({ name: "home" });
    const kinds = {};
    const cycle = async (index) => {
      const pid = await start(node, { stallMs: 30_000, offHeapMiB: 32 });
      const ended = node.beam.processes.exitOf(pid);
      if (index % 2 === 0) node.beam.processes.cast(pid, "hoard");
      else node.beam.processes.exit(pid, "kill");
      const kind = kindOf(await ended);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    };
    const run = async (count) => {
      for (let index = 0; index < count; index += AT_A_TIME) {
        await Promise.all(Array.from({ length: AT_A_TIME }, (_, offset) => cycle(offset)));
      }
      await until(() => core.boundaryCounters().isolates === 1);
      globalThis.gc();
      return figures();
    };
    const at40 = await run(40);
    const after = await run(Number(argument) - 40);
    await node.leave();
    return { kinds, at40, after };
  },

  /** The main thread waits in a system call: not even its garbage collector runs. */
  async blockedMain() {
    const node = await Foundation.start({ name: "home" });
    const pid = await start(node, { stallMs: 2_000 });
    const ended = node.beam.processes.exitOf(pid);
    node.beam.processes.cast(pid, "loop");
    await until(() => node.isolates().some(({ threadId, runningMs }) => threadId && runningMs > 5));
    spawnSync(process.execPath, ["-e", `setTimeout(() => {}, ${argument})`]);
    const isGone = !node.isolates().some(({ threadId }) => threadId > 0);
    const { kind, stack } = await ended;
    await node.leave();
    return { isGone, kind, isNamed: stack.includes("at loopForever") };
  },

  /** A native call cannot be interrupted: its isolate ends when it returns, and runs no more. */
  async nativeCall() {
    const node = await Foundation.start({ name: "home" });
    const folder = mkdtempSync(join(tmpdir(), "foundation-guarded-"));
    const path = join(folder, "came-back");
    const rounds = roundsOf(5_000);
    const { kind, stack } = await endOf(node, { stallMs: 2_000 }, { rounds, path });
    const found = { kind, stack, cameBack: existsSync(path) };
    rmSync(folder, { recursive: true });
    await node.leave();
    return found;
  },

  /** Isolates that end by themselves about when their guard would end them. */
  async endsMeanwhile() {
    const node = await Foundation.start({ name: "home" });
    const kinds = [];
    for (const overMs of JSON.parse(argument)) {
      kinds.push(kindOf(await endOf(node, { stallMs: 400 }, { spinMs: 400 + overMs })));
    }
    await until(() => core.boundaryCounters().isolates === 1);
    const left = threads().filter((thread) => thread === "foundation-dog");
    await node.leave();
    return { kinds, left };
  },

  /** The process ends while its watchdog has a lot to do. */
  async exits() {
    const node = await Foundation.start({ name: "home" });
    node.beam.watch({ stallMs: 50 }, () => {});
    const pids = await Promise.all([1, 2, 3, 4].map(() => start(node, { stallMs: 20_000 })));
    for (const pid of pids) node.beam.processes.cast(pid, "loop");
    await until(() =>
      node.isolates().some(({ threadId, runningMs }) => threadId && runningMs > 40),
    );
    process.exit(7);
  },

  async panics() {
    const home = await Foundation.start({ name: "home" });
    const thrown = [];
    process.on("uncaughtException", ({ code, message }) => thrown.push(`${code}: ${message}`));
    const pid = await start(home, { stallMs: 1_000 });
    core.panicForTest("watchdog");
    await until(() => thrown.length > 0);
    const found = {
      thrown,
      guard: await outcome(() => start(home, { stallMs: 1_000 })),
      answer: await home.beam.processes.call(pid, 1),
    };
    const other = await Foundation.start({ name: "other" });
    found.other = kindOf(await endOf(other, { stallMs: 500 }, "loop"));
    await Promise.all([home.leave(), other.leave()]);
    return { ...found, panics: core.boundaryCounters().panics };
  },
};

const found = await scenarios[name]();
process.stdout.write(`${JSON.stringify(found)}\n`);
