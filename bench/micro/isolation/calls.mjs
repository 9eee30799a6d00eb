/**
 * A light process that calls another one again and again, in windows of time: beside nothing,
 * beside strangers, beside a heavy process, in turn.
 */

import { readFileSync } from "node:fs";

import { Foundation, heavy } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { answer } from "./callee.mjs";

const WORKER = new URL("worker.mjs", import.meta.url);
const CALLEE = new URL("callee.mjs", import.meta.url);
/** Round trips that there is room for in a window. */
const CALLS_MAX = 1_000_000;
/** From the begin of the work until a window opens: code is compiled, memory is found. Unit: ms. */
const SETTLE_MS = 60;
/** A heavy process that does not answer within this time is at work. Unit: ms. */
const DEAF_MS = 20;
/** States in /proc of who is stopped. */
const STOPPED = "Tt";

const pause = (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs));

/** Calls for so long, and answers with the round trips in order of length, in milliseconds. */
async function callFor(self, callee, durationMs, timesMs) {
  const until = performance.now() + durationMs;
  let calls = 0;
  for (let now = 0; now < until && calls < timesMs.length; calls++) {
    const calledAt = performance.now();
    const answered = await self.call(callee, calls);
    now = performance.now();
    if (answered.value !== calls) throw new Error(`${calls} was answered with ${answered.value}`);
    timesMs[calls] = now - calledAt;
  }
  return timesMs.subarray(0, calls).sort();
}

/** The figures of a window, in microseconds. */
function figuresOf(sortedMs) {
  const at = (share) => sortedMs[Math.ceil(sortedMs.length * share) - 1] * 1_000;
  return { p50: at(0.5), p99: at(0.99), longest: at(1) };
}

/** A heavy process at work for the time of a window. */
async function besideHeavy(processes, work, measure) {
  const pid = await processes.start(heavy({ module: WORKER, export: "Worker" }));
  await processes.call(pid, work);
  await pause(SETTLE_MS);
  const figures = await measure();
  const said = await processes.call(pid, work, { timeoutMs: DEAF_MS }).catch(({ code }) => code);
  if (said !== "timeout") throw new Error(`the heavy process is not at work: ${said}`);
  const ended = processes.exitOf(pid);
  processes.exit(pid, "kill");
  const reason = await ended;
  if (reason !== "killed") throw new Error(`the heavy process ended: ${reason}`);
  return figures;
}

/** A stranger, stopped before and after, at work for the time of a window. */
async function besideStranger(pid, measure) {
  process.kill(pid, "SIGCONT");
  await pause(SETTLE_MS);
  const figures = await measure();
  const [, state] = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (STOPPED.includes(state)) throw new Error("the stranger is not at work");
  process.kill(pid, "SIGSTOP");
  return figures;
}

async function besideNothing(measure) {
  await pause(SETTLE_MS);
  return measure();
}

async function main() {
  const { work, callee: kind, strangers, windows, windowMs, timing } = parameters();
  endWithRunner();
  for (const { pid } of strangers) process.kill(pid, "SIGSTOP");
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes } = node.beam;
  const heavyCallee = heavy({ module: CALLEE, export: "answer" });
  const callee = kind === "heavy" ? await processes.start(heavyCallee) : processes.spawn(answer);
  const timesMs = new Float64Array(CALLS_MAX).fill(0);
  const caller = processes.spawn((durationMs, self) => callFor(self, callee, durationMs, timesMs));
  const callAll = (durationMs) =>
    processes.call(caller, durationMs, { timeoutMs: Number.POSITIVE_INFINITY });
  const measure = async () => figuresOf(await callAll(windowMs));
  const conditions = new Map([
    ["idle", () => besideNothing(measure)],
    ...strangers.map(({ name, pid }) => [name, () => besideStranger(pid, measure)]),
    ["ours", () => besideHeavy(processes, work, measure)],
  ]);
  await callAll(timing.warmMs);
  const found = Object.fromEntries([...conditions.keys()].map((name) => [name, []]));
  // Forth and back, so that what changes over the turn meets all of them alike.
  const order = [...conditions];
  for (let window = 0; window < windows; window++) {
    for (const [name, take] of order) found[name].push(await take());
    order.reverse();
  }
  report("result", { found });
}

main().catch(fail);
