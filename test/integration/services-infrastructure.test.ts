import { afterAll, beforeAll, expect, test } from "vitest";
import { Foundation, type FoundationNode, GenServer, processWorkers } from "../../dist/ts/index.js";

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

class Pinged extends GenServer<[string]> {
  #name = "";

  override init(name: string): void {
    this.#name = name;
  }

  override handleCall(request: unknown): string {
    return request === "ping" ? `pong of ${this.#name}` : "what?";
  }
}

test("a worker of a pool may be a process: it starts, and answers a ping [F595 F596]", async () => {
  const { processes } = node.beam;
  const { connectionManager } = node.infrastructure;
  const workerModule = processWorkers(processes, Pinged);
  await connectionManager.startPool("pinged", {
    ...{ workerModule, size: 2, maxOverflow: 0, workerArgs: ["ann"] },
  });
  const answers = await Promise.all(
    [1, 2].map(async () => {
      return connectionManager.withConnection<never, unknown>("pinged", async (pid) => {
        expect(processes.isAlive(pid)).toBe(true);
        return processes.call(pid, "ping");
      });
    }),
  );
  expect(answers).toEqual(["pong of ann", "pong of ann"]);
  await connectionManager.stopPool("pinged");
});
