// Prints the yard-stick's figures: `node bench/native/measure.mjs`. A suite that compares another
// binding calls the same functions in turn with its own.
import { pathToFileURL } from "node:url";
import { loadYardstick } from "./build.mjs";
import { measureLimit } from "./limit.mjs";

/** Calls between two looks at the clock. */
const BATCH_CALLS = 1000;

/**
 * Nanoseconds for one `call`, the median of `rounds` rounds after one that warms up.
 *
 * @param {() => unknown} call
 * @param {{ rounds?: number, roundMs?: number }} [options]
 */
export function nanosecondsPerCall(call, { rounds = 5, roundMs = 100 } = {}) {
  const figures = [];
  for (let round = 0; round <= rounds; round += 1) {
    let calls = 0;
    const startMs = performance.now();
    let elapsedMs = 0;
    while (elapsedMs < roundMs) {
      for (let done = 0; done < BATCH_CALLS; done += 1) call();
      calls += BATCH_CALLS;
      elapsedMs = performance.now() - startMs;
    }
    if (round > 0) figures.push((elapsedMs * 1e6) / calls);
  }
  return figures.sort((left, right) => left - right)[Math.floor(rounds / 2)];
}

/**
 * The crossings by name. Unit: ns a call.
 *
 * @param {import("./build.mjs").Yardstick} yardstick
 * @returns {Record<string, number>}
 */
export function measureCrossings(yardstick) {
  const view = new Uint8Array(256);
  const noop = () => {};
  return {
    "plain JavaScript call": nanosecondsPerCall(noop),
    "empty call": nanosecondsPerCall(() => yardstick.empty()),
    "call with a 256 B view": nanosecondsPerCall(() => yardstick.byteLengthOf(view)),
    "external buffer, 256 B": nanosecondsPerCall(() => yardstick.externalBuffer(256)),
    "copied buffer, 256 B": nanosecondsPerCall(() => yardstick.copiedBuffer(256)),
    "external buffer, 64 KiB": nanosecondsPerCall(() => yardstick.externalBuffer(65_536)),
    "copied buffer, 64 KiB": nanosecondsPerCall(() => yardstick.copiedBuffer(65_536)),
    "C++ into JavaScript": yardstick.callInto(noop, 1_000_000),
  };
}

/** @param {string} name @param {string} figure */
function line(name, figure) {
  process.stdout.write(`${name.padEnd(40)} ${figure}\n`);
}

async function main() {
  const yardstick = await loadYardstick((text) => process.stderr.write(`${text}\n`));
  if (yardstick === undefined) {
    process.exitCode = 1;
    return;
  }
  for (const [name, ns] of Object.entries(measureCrossings(yardstick))) {
    line(name, `${ns.toFixed(1)} ns`);
  }
  const trips = await yardstick.wakeRoundTrips(() => {}, 20_000);
  const tripUs = (trips.elapsedNs / trips.count / 1000).toFixed(1);
  const [p50, p99] = [trips.p50Ns, trips.p99Ns].map((ns) => (ns / 1000).toFixed(1));
  line("wake round trip", `${tripUs} µs (p50 ${p50}, p99 ${p99})`);
  const burst = await yardstick.wakeBurst(() => {}, 200_000);
  line("one wake a message", `${((burst.count / burst.elapsedNs) * 1e3).toFixed(2)} M/s`);
  for (const recordBytes of [64, 1024]) {
    const limit = await measureLimit({ recordBytes });
    const sizes = [limit.bytesPerWrite, limit.bytesPerRead];
    const [write, read] = sizes.map((bytes) => (bytes / 1024).toFixed(1));
    const rate = (limit.messagesPerSecond / 1e6).toFixed(2);
    line(`bare limit, ${recordBytes} B`, `${rate} M/s (writes ${write} KiB, reads ${read} KiB)`);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main();
}
