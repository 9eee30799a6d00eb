/** The three libraries put together, in the order of ours: limit, breaker, pool. */

import { createRequire } from "node:module";

import { answer, work } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const Bottleneck = requirePeer("bottleneck");
const CircuitBreaker = requirePeer("opossum");
const { createPool } = requirePeer("generic-pool");

await answer(async () => {
  const limiter = new Bottleneck({
    reservoir: 1_000_000_000,
    reservoirRefreshAmount: 1_000_000_000,
    reservoirRefreshInterval: 60_000,
  });
  const factory = { create: async () => ({ work }), destroy: async () => {} };
  const pool = createPool(factory, { min: 10, max: 10, acquireTimeoutMillis: 5_000 });
  await pool.ready();
  const breaker = new CircuitBreaker((value) => pool.use((worker) => worker.work(value)));
  return (value) => limiter.schedule(() => breaker.fire(value));
});
