/** tarn: ten workers; it has no call that takes one, runs and gives it back. */

import { createRequire } from "node:module";

import { answer, work } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { Pool } = requirePeer("tarn");

await answer(async () => {
  const pool = new Pool({
    create: async () => ({ work }),
    destroy: () => {},
    ...{ min: 0, max: 10, acquireTimeoutMillis: 5_000 },
  });
  return async (value) => {
    const worker = await pool.acquire().promise;
    try {
      return await worker.work(value);
    } finally {
      pool.release(worker);
    }
  };
});
