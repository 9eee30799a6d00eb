/**
 * A loopback interface for one turn: what a cluster says to itself is counted on it, headers and
 * all, and nobody else's traffic is.
 */

import { execFileSync } from "node:child_process";

const run = (program, ...words) =>
  execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

let opened = 0;

/** Why there can be none here. */
export async function loopbackAbsence() {
  if (process.platform !== "linux") return "needs Linux";
  try {
    await withLoopback(async () => {});
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return `a network namespace cannot be made: ${reason}`;
  }
}

/**
 * Runs a turn with an interface of its own, which is gone afterwards.
 *
 * @template T
 * @param {(loopback: { within: readonly string[], bytes: () => number, packets: () => number })
 *   => Promise<T>} body `within` are the words before a command that put it there, `bytes` and
 *   `packets` what has passed so far
 * @returns {Promise<T>}
 */
export async function withLoopback(body) {
  const name = `foundation-bench-${process.pid}-${opened++}`;
  run("ip", "netns", "add", name);
  const within = ["ip", "netns", "exec", name];
  const [first, ...words] = within;
  const sent = () => {
    const [link] = JSON.parse(
      run(first, ...words, "ip", "-json", "-statistics", "link", "show", "lo"),
    );
    return link.stats64.tx;
  };
  const [bytes, packets] = [() => sent().bytes, () => sent().packets];
  try {
    run(first, ...words, "ip", "link", "set", "lo", "up");
    return await body({ within, bytes, packets });
  } finally {
    run("ip", "netns", "delete", name);
  }
}
