/** Two light processes of the main isolate: one calls the other, again and again. */

import { Foundation, heavy } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";

const WORKER = new URL("worker.mjs", import.meta.url);
/** Round trips that there is room for; a turn that makes more ends early. */
const CALLS_MAX = 8_000_000;
/** Long enough for the heavy process to be at work. Unit: ms. */
const SETTLE_MS = 100;
/** A heavy process that answers within this time is not at work. Unit: ms. */
const DEAF_MS = 50;

const pause = (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs));

/** Calls for so long and answers with the round trips, in milliseconds. */
async function callFor(self, callee, durationMs, timesMs) {
  const until = performance.now() + durationMs;
  let calls = 0;
  for (let now = 0; now < until && calls < timesMs.length; calls++) {
    const calledAt = performance.now();
    const answered = await self.call(callee, calls);
    now = performance.now();
    if (answered !== calls + 1) throw new Error(`${calls} was answered with ${answered}`);
    timesMs[calls] = now - calledAt;
  }
  return timesMs.subarray(0, calls).sort();
}

function figuresOf(sortedMs) {
  const microsecondsAt = (share) => sortedMs[Math.ceil(sortedMs.length * share) - 1] * 1_000;
  return {
    p50: microsecondsAt(0.5),
    p99: microsecondsAt(0.99),
    p999: microsecondsAt(0.999),
    longest: microsecondsAt(1),
  };
}

/** Starts the heavy process and its work; resolves with a check that it is still at it. */
async function startWork(processes, work) {
  const pid = await processes.start(heavy({ module: WORKER, export: "Worker" }));
  const downs = [];
  processes.monitor(pid, (down) => downs.push(down));
  await processes.call(pid, work);
  await pause(SETTLE_MS);
  return async () => {
    const answer = await processes
      .call(pid, work, { timeoutMs: DEAF_MS })
      .catch(({ code }) => code);
    if (answer !== "timeout") throw new Error(`the heavy process is not at work: ${answer}`);
    if (downs.length > 0) throw new Error(`the heavy process ended: ${downs[0].reason}`);
  };
}

async function main() {
  const { work, timing } = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes } = node.beam;
  const callee = processes.spawn((value) => value + 1);
  const timesMs = new Float64Array(CALLS_MAX).fill(0);
  const caller = processes.spawn(async (durationMs, self) =>
    callFor(self, callee, durationMs, timesMs),
  );
  const call = (durationMs) =>
    processes.call(caller, durationMs, { timeoutMs: Number.POSITIVE_INFINITY });
  const assertWorks = work === undefined ? async () => {} : await startWork(processes, work);
  await call(timing.warmMs);
  const figures = figuresOf(await call(timing.measureMs));
  await assertWorks();
  report("result", { figures });
}

main().catch(fail);
