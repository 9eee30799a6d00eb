// The bare limit: two processes with nothing but a ring, a thread and a loopback TCP socket each.
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} LimitOptions
 * @property {number} recordBytes size of a message, a power of two from 4 to the ring's capacity
 * @property {number} [capacityBytes] of each ring, a power of two; 256 KiB stays in the cache
 * @property {number} [warmMs] before the clock starts
 * @property {number} [measureMs] of the measurement
 *
 * @typedef {object} LimitFigures
 * @property {number} messagesPerSecond counted at the receiver
 * @property {number} bytesPerSecond
 * @property {number} bytesPerWrite mean size of the sender's system calls
 * @property {number} bytesPerRead mean size of the receiver's system calls
 */

const PROGRAM = fileURLToPath(new URL("./limit-process.mjs", import.meta.url));

/**
 * Measures the limit once, in two fresh processes. The yard-stick must be built (build.mjs).
 *
 * @param {LimitOptions} options
 * @returns {Promise<LimitFigures>}
 */
export async function measureLimit(options) {
  const { recordBytes, capacityBytes = 256 * 1024, warmMs = 400, measureMs = 1500 } = options;
  const sizes = [String(recordBytes), String(capacityBytes)];
  const receiver = fork(PROGRAM, ["receive", ...sizes]);
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let sender;
  try {
    const { port } = await message(receiver);
    sender = fork(PROGRAM, ["send", ...sizes, String(port)]);
    await delay(warmMs);
    const before = await ask(receiver);
    await delay(measureMs);
    const after = await ask(receiver);
    const sent = await ask(sender);
    const seconds = Number(BigInt(after.atNs) - BigInt(before.atNs)) / 1e9;
    const messagesPerSecond = (after.records - before.records) / seconds;
    return {
      messagesPerSecond,
      bytesPerSecond: messagesPerSecond * recordBytes,
      bytesPerWrite: sent.bytes / sent.systemCalls,
      bytesPerRead: after.bytes / after.systemCalls,
    };
  } finally {
    receiver.kill("SIGKILL");
    sender?.kill("SIGKILL");
  }
}

/** @param {import("node:child_process").ChildProcess} child */
async function ask(child) {
  child.send("figures");
  return message(child);
}

/** The next message of a child; its early exit rejects. */
async function message(/** @type {import("node:child_process").ChildProcess} */ child) {
  const stop = new AbortController();
  const left = once(child, "exit", { signal: stop.signal }).then(([code, signal]) => {
    throw new Error(`a process of the limit program left with ${signal ?? code}`);
  });
  try {
    const [received] = await Promise.race([once(child, "message", { signal: stop.signal }), left]);
    return received;
  } finally {
    stop.abort();
    left.catch(() => {}); // The abort itself.
  }
}
