import { afterAll, beforeAll, expect, test } from "vitest";
import { Foundation, type FoundationNode } from "../../dist/ts/index.js";

let node: FoundationNode;

beforeAll(async () => {
  node = await Foundation.start({ name: "limits", cluster: "limits", listen: "127.0.0.1:0" });
});

afterAll(async () => node.leave());

/** Calls under a rule until one is refused, `most` at the most; how many were allowed. */
async function allowed(rule: string, most: number): Promise<number> {
  const options = { rateLimiter: [rule, "user"] as const };
  for (let count = 0; count < most; count++) {
    try {
      await node.infrastructure.executeProtected("key", options, () => "done");
    } catch (error) {
      expect(error).toMatchObject({ code: "rate_limit_exceeded" });
      return count;
    }
  }
  return most;
}

test("a node's configuration says how often, how many and whether at all", async () => {
  const { config, infrastructure } = node;
  const { fileOperations, dbQueries } = config.get(["infrastructure"]).rateLimiting.defaultRules;
  // The window may end during the calls, and lets as many pass again then.
  const count = await allowed("file_operations", 50);
  expect([fileOperations.limit, 2 * fileOperations.limit]).toContain(count);
  await expect(allowed("db_queries", dbQueries.limit)).resolves.toBe(dbQueries.limit);

  const workerModule = { create: () => ({}) };
  await infrastructure.connectionManager.startPool("pool", { workerModule });
  const { size, maxOverflow } = config.get(["infrastructure"]).connectionPool.defaultConfig;
  expect(infrastructure.connectionManager.getPoolStatus("pool")).toMatchObject({
    ...{ size, maxOverflow, workers: size },
  });

  const off = { limit: 0, windowMs: 60_000, rule: "none", id: "user" };
  const call = async () =>
    infrastructure.executeProtected("key", { rateLimiter: off }, () => "done");
  await expect(call()).rejects.toMatchObject({ code: "rate_limit_exceeded" });
  config.update(["infrastructure", "rateLimiting", "enabled"], false);
  await expect(call()).resolves.toBe("done");
  config.update(["infrastructure", "rateLimiting", "enabled"], true);
  await expect(call()).rejects.toMatchObject({ code: "rate_limit_exceeded" });
});
