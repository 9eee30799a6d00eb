/** cockatiel: a circuit breaker around a time limit of five seconds, as ours has. */

import { createRequire } from "node:module";

import { answer, work } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { circuitBreaker, ConsecutiveBreaker, handleAll, timeout, TimeoutStrategy, wrap } =
  requirePeer("cockatiel");

await answer(async () => {
  const policy = wrap(
    circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: new ConsecutiveBreaker(5) }),
    timeout(5_000, TimeoutStrategy.Aggressive),
  );
  return (value) => policy.execute(() => work(value));
});
