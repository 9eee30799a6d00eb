// Worker threads as parts of one node: each attaches, takes a name, and has rings of its own. The
// same program runs on the main thread and in both workers.
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { Foundation } from "foundation-runtime";

/** Counts the prime numbers below a limit: work that would stall an event loop. */
function countPrimes(limit) {
  let count = 0;
  for (let number = 2; number < limit; number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor++;
    if (divisor * divisor > number) count++;
  }
  return count;
}

async function runWorker(name) {
  const node = await Foundation.attach();
  node.handle(name, ({ limit }) => countPrimes(limit));
  node.handle(`${name}/stop`, () => setImmediate(() => node.detach()));
  await node.call({ node: node.name, name: "ready" }, name);
}

async function runMain(names) {
  const node = await Foundation.start({ name: "primes" });
  const waiting = new Set(names);
  const allReady = new Promise((resolve) => {
    node.handle("ready", (name) => {
      waiting.delete(name);
      if (waiting.size === 0) resolve();
    });
  });
  for (const name of names) new Worker(new URL(import.meta.url), { workerData: name });
  await allReady;

  const askAll = (limit) =>
    Promise.all(names.map((name) => node.call({ node: node.name, name }, { limit })));
  console.log("primes below 50,000, from each worker:", (await askAll(50_000)).join(" "));

  for (const name of names) node.send({ node: node.name, name: `${name}/stop` });
  await node.leave();
}

await (isMainThread ? runMain(["worker-1", "worker-2"]) : runWorker(workerData));
