import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { setImmediate as turn } from "node:timers/promises";

/** The core that the package under proof has loaded. */
export const core = createRequire(import.meta.url)(
  process.env["FOUNDATION_NATIVE_PATH"] ?? "../../../dist/bindings/foundation_core.node",
);

/** What may grow by this much and still counts as the same. */
const TOLERANCE = 0.05;
/** A smaller growth of the memory is noise of the allocators. Unit: bytes. */
const RESIDENT_SLACK_BYTES = 8 << 20;
const MEMORY = new Set(["residentBytes", "arenaResidentBytes"]);
const SETTLING_DEADLINE_MS = 20_000;
/** Memory goes back once a second. Unit: ms. */
const RESTED_AFTER_MS = 2_500;
const RESTED_DEADLINE_MS = 60_000;

/** Turns the loop until something holds; false after a deadline. */
export async function until(isDone, deadlineMs = SETTLING_DEADLINE_MS) {
  const endMs = performance.now() + deadlineMs;
  while (!isDone() && performance.now() < endMs) await turn();
  return isDone();
}

/** Everything that a process holds at one moment. */
export function holdings() {
  globalThis.gc?.();
  const counters = core.boundaryCounters();
  const { kernels, nodes, isolates, doorbells, isolateRings } = counters;
  const { slabsLive, slabsInTransit, blocksLive, arenaBytes, arenaResidentBytes } = counters;
  return {
    residentBytes: process.memoryUsage.rss(),
    arenaResidentBytes,
    files: readdirSync("/proc/self/fd").length,
    threads: readdirSync("/proc/self/task").length,
    ...{ kernels, nodes, isolates, doorbells, isolateRings },
    ...{ slabsLive, slabsInTransit, blocksLive, arenaBytes },
  };
}

/** Turns the loop until no more memory of the arena goes back to the system. */
export async function rested() {
  let least = Number.POSITIVE_INFINITY;
  let sinceMs = performance.now();
  await until(() => {
    const { arenaResidentBytes } = core.boundaryCounters();
    if (arenaResidentBytes < least) {
      least = arenaResidentBytes;
      sinceMs = performance.now();
    }
    return performance.now() - sinceMs > RESTED_AFTER_MS;
  }, RESTED_DEADLINE_MS);
}

/** Which holdings grew beyond what counts as the same, in words. */
export function growth(before, after) {
  return Object.keys(before).flatMap((key) => {
    const slack = MEMORY.has(key) ? RESIDENT_SLACK_BYTES : 0;
    const most = Math.max(before[key] * (1 + TOLERANCE), before[key] + slack);
    return after[key] <= most ? [] : [`${key} grew from ${before[key]} to ${after[key]}`];
  });
}

/** Holdings once they are back to earlier ones, or what they are after a deadline. */
export async function settledTo(before) {
  await until(() => growth(before, holdings()).length === 0);
  return holdings();
}

/** What is left of nodes once all of them are gone. */
export async function expectNothingLeft(expect) {
  const names = ["kernels", "nodes", "isolates", "doorbells", "isolateRings"];
  names.push("slabsLive", "slabsInTransit", "blocksLive", "arenaBytes");
  const left = () => {
    const held = holdings();
    return names.filter((name) => held[name] > 0).map((name) => `${name} ${held[name]}`);
  };
  await until(() => left().length === 0);
  expect(left().length === 0, `left behind: ${left().join(", ")}`);
}
