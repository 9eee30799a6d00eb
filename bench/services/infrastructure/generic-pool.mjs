/** generic-pool: ten workers. */

import { createRequire } from "node:module";

import { answer, work } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { createPool } = requirePeer("generic-pool");

await answer(async () => {
  const factory = { create: async () => ({ work }), destroy: async () => {} };
  const pool = createPool(factory, { min: 10, max: 10, acquireTimeoutMillis: 5_000 });
  await pool.ready();
  return (value) => pool.use((worker) => worker.work(value));
});
