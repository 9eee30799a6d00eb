/** opossum: a circuit breaker with a time limit, its defaults. */

import { createRequire } from "node:module";

import { answer, work } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const CircuitBreaker = requirePeer("opossum");

await answer(async () => {
  const breaker = new CircuitBreaker(work);
  return (value) => breaker.fire(value);
});
