/** Ours: `executeProtected` with the layers that are asked for. */

import { Infrastructure } from "foundation-runtime";

import { answer, work } from "./ask.mjs";

const LIMIT = 1_000_000_000;

await answer(async (layer) => {
  const infrastructure = Infrastructure.standalone();
  infrastructure.initializeCircuitBreaker("api");
  const workerModule = { create: () => ({ work }) };
  await infrastructure.connectionManager.startPool("api", { workerModule, size: 10 });
  const options = {
    ...(layer !== "limit" && layer !== "pool" && { circuitBreaker: "api" }),
    ...(layer !== "breaker" &&
      layer !== "pool" && { rateLimiter: { rule: "r", id: "u", limit: LIMIT, windowMs: 60_000 } }),
    ...(layer !== "breaker" && layer !== "limit" && { connectionPool: "api" }),
  };
  const run = options.connectionPool === undefined ? () => work : ({ worker }) => worker.work;
  return (value) => infrastructure.executeProtected("api", options, (call) => run(call)(value));
});
