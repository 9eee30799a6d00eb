// Work on every core, and work on this one that lets others have their turn:
// node examples/balanced-work.mjs
import { Foundation } from "foundation-runtime";

/** Runs in the schedulers: how many primes there are in [from, to). */
export function primesIn([from, to]) {
  let count = 0;
  for (let number = Math.max(2, from); number < to; number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor++;
    if (divisor * divisor > number) count++;
  }
  return count;
}

async function main() {
  const node = await Foundation.start({ name: "primes" });
  const { schedulers } = node.beam;
  const ranges = Array.from({ length: 100 }, (_, index) => [index * 2_000, (index + 1) * 2_000]);

  const counts = await schedulers.balanceWork(ranges, {
    module: new URL(import.meta.url),
    export: "primesIn",
    itemTimeoutMs: 30_000,
  });
  console.log(`primes below 200,000: ${counts.reduce((sum, count) => sum + count, 0)}`);

  let ticks = 0;
  const ticking = setInterval(() => ticks++, 1);
  const here = await schedulers.cpuIntensive(ranges, primesIn, { budgetMs: 2 });
  clearInterval(ticking);
  console.log(`primes once more: ${here.reduce((sum, count) => sum + count, 0)}`);
  console.log(`timers ran meanwhile: ${ticks > 0}`);
  await node.leave();
}

// The schedulers load this file too, for `primesIn`.
if (
  process.argv[1] === import.meta.filename &&
  (await import("node:worker_threads")).isMainThread
) {
  await main();
}
