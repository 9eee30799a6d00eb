/** bottleneck: so many calls a minute, from a reservoir. */

import { createRequire } from "node:module";

import { answer, work } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const Bottleneck = requirePeer("bottleneck");

await answer(async () => {
  const limiter = new Bottleneck({
    reservoir: 1_000_000_000,
    reservoirRefreshAmount: 1_000_000_000,
    reservoirRefreshInterval: 60_000,
  });
  return (value) => limiter.schedule(() => work(value));
});
