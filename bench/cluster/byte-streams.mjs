/**
 * What one TCP connection carries with nothing on top: iperf3, and a C sender that writes as much
 * at once as ours puts into one frame. Both count at the receiver.
 */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { programOf } from "../native/build.mjs";
import { freePort, programAbsence } from "../peers/installed.mjs";
import { withChildren } from "../processes.mjs";

/** The default of the option `chunkBytes`. */
const CHUNK_BYTES = 128 * 1024;
/** The congestion control of our connections within one machine: one that does not pace. */
const OUR_CONGESTION = "reno";
const IPERF3_LISTENS_WITHIN_MS = 5000;

const run = promisify(execFile);

/** `words` of congestion control: none is the machine's own. */
function createC(name, payload, timing, words) {
  const program = programOf("stream");
  return {
    name,
    absence: async () =>
      existsSync(program) ? undefined : "node bench/native/build.mjs builds it",
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const clock = [String(timing.warmMs), String(timing.measureMs)];
        const receiver = group.start(`${name} receiver`, program, ["receive", ...clock, ...words]);
        const { address } = await receiver.event("listening");
        const size = String(Math.min(payload.bytes, CHUNK_BYTES));
        const to = ["send", address.split(":")[1], size];
        const sender = group.start(`${name} sender`, program, [...to, ...words]);
        const { bytes, seconds } = await Promise.race([receiver.event("result"), sender.failure()]);
        return bytes / seconds / payload.bytes;
      }),
  };
}

/** Runs the client until the server listens; it says nothing when it does. */
async function runIperf3(words, deadlineMs) {
  const signal = AbortSignal.timeout(deadlineMs);
  for (const until = performance.now() + IPERF3_LISTENS_WITHIN_MS; ; await delay(50)) {
    try {
      const { stdout } = await run("iperf3", words, { signal });
      const report = JSON.parse(stdout);
      // Some versions tell of a failure in the report alone and end with 0.
      if (report.end?.sum_received === undefined) throw new Error(report.error ?? "no sum");
      return report;
    } catch (error) {
      if (signal.aborted || performance.now() > until) throw error;
    }
  }
}

function createIperf3(payload, timing) {
  return {
    name: "iperf3",
    absence: programAbsence(["iperf3"]),
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const port = String(await freePort());
        group.start("iperf3 server", "iperf3", ["-s", "-B", "127.0.0.1", "-p", port]);
        const seconds = String(Math.ceil(timing.measureMs / 1000));
        const words = ["-c", "127.0.0.1", "-p", port, "-t", seconds, "-J"];
        const { end } = await runIperf3(words, timing.deadlineMs);
        return end.sum_received.bits_per_second / 8 / payload.bytes;
      }),
  };
}

/**
 * Yard-sticks of large messages, in messages of their size a second.
 *
 * @param {{ bytes: number }} payload
 * @param {import("../suites.mjs").Timing} timing
 */
export function createByteStreams(payload, timing) {
  return [
    createIperf3(payload, timing),
    createC("c-sender", payload, timing, []),
    createC("c-sender-unpaced", payload, timing, [OUR_CONGESTION]),
  ];
}
