import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { SYSTEM_CLOCK } from "../../dist/ts/base/clock.js";
import { RateLimiter } from "../../dist/ts/services/infrastructure/limits/rate-limiter.js";
import {
  type RedisLimitsOptions,
  redisLimits,
} from "../../dist/ts/services/infrastructure/limits/shared-limits.js";
import { NO_TELEMETRY } from "../../dist/ts/services/sinks.js";
import { RedisServer } from "./redis-server.ts";

const server = await RedisServer.start();
const closes: (() => unknown)[] = [];
if (server === undefined) console.warn("redis-server is not installed: shared limits go untested");

afterAll(async () => {
  for (const close of closes) await close();
  await server?.kill();
});

async function connectIoredis(port: number): Promise<object> {
  const client = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: 0 });
  // Whoever uses it hears of it when a command fails.
  client.on("error", () => {});
  await client.connect();
  closes.push(() => client.disconnect());
  return client;
}

async function connectRedis(port: number): Promise<object> {
  const client = createClient({ socket: { port, reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  closes.push(() => client.isOpen && client.destroy());
  return client;
}

const CLIENTS = [
  ["ioredis", connectIoredis],
  ["redis", connectRedis],
] as const;

function limiterOver(client: object, options: RedisLimitsOptions): RateLimiter {
  return new RateLimiter({
    clock: SYSTEM_CLOCK,
    telemetry: NO_TELEMETRY,
    cleanupIntervalMs: () => 300_000,
    shared: redisLimits(client, options),
  });
}

const exceeded = { code: "rate_limit_exceeded", numericCode: 6001 };
const RULE = { limit: 5, windowMs: 60_000 };

/** How many of so many calls at a time were allowed. */
async function allowed(limiters: readonly RateLimiter[], calls: number): Promise<number> {
  const all = Array.from({ length: calls }, async (_, i) =>
    limiters[i % limiters.length]?.checkShared("u", "op", RULE),
  );
  const ends = await Promise.allSettled(all);
  for (const end of ends) if (end.status === "rejected") expect(end.reason).toMatchObject(exceeded);
  return ends.filter(({ status }) => status === "fulfilled").length;
}

describe.skipIf(server === undefined)("limits that are shared through Redis", () => {
  const port = server?.port ?? 0;

  test.each(CLIENTS)("are one limit for all who share them: %s", async (name, connect) => {
    const prefix = `test:${name}`;
    const clients = await Promise.all([connect(port), connect(port), connect(port)]);
    const limiters = clients.map((client) => limiterOver(client, { prefix }));
    await expect(allowed(limiters, 30)).resolves.toBe(5);
    await expect(limiters[0]?.checkShared("another", "op", RULE)).resolves.toBeUndefined();

    const status = await limiters[1]?.getSharedStatus("u", "op", RULE);
    expect(status).toMatchObject({ status: "rate_limited", currentCount: 5, remaining: 0 });
    expect(status?.retryAfterMs).toBeGreaterThan(0);
    expect(status?.retryAfterMs).toBeLessThanOrEqual(RULE.windowMs);

    await limiters[2]?.resetShared("u", "op", RULE);
    await expect(limiters[0]?.getSharedStatus("u", "op", RULE)).resolves.toMatchObject({
      ...{ status: "available", currentCount: 0, remaining: 5, retryAfterMs: 0 },
    });
    await expect(allowed(limiters, 7)).resolves.toBe(5);
  });

  test("do not touch one another under different prefixes", async () => {
    const client = await connectIoredis(port);
    const [a, b] = ["test:a", "test:b"].map((prefix) => limiterOver(client, { prefix }));
    await expect(allowed([a as RateLimiter], 6)).resolves.toBe(5);
    await expect(allowed([b as RateLimiter], 6)).resolves.toBe(5);
  });

  test.each([
    [{ windowMs: 1_500 }, "whole seconds"],
    [{ algorithm: "slidingWindow" as const }, "fixed windows"],
  ])("are refused with the rule %j, which Redis cannot keep", async (rule, text) => {
    const limiter = limiterOver(await connectIoredis(port), {});
    await expect(limiter.checkShared("u", "op", { ...RULE, ...rule })).rejects.toMatchObject({
      ...{ code: "rate_limiter_exception", numericCode: 6003 },
      message: expect.stringContaining(text),
    });
  });

  test.each([
    [{}, "client"],
    [{ prefx: "x" }, "did you mean 'prefix'?"],
    [{ whenUnavailable: "panic" }, "whenUnavailable must be one of"],
    [{ timeoutMs: 0 }, "timeoutMs must be"],
  ])("are refused with the options %j", async (options, text) => {
    const client = text === "client" ? {} : await connectIoredis(port);
    expect(() => redisLimits(client, options as never)).toThrow(
      expect.objectContaining({
        code: "invalid_options",
        message: expect.stringContaining(text),
      }),
    );
  });
});

describe.skipIf(server === undefined)("shared limits without their Redis", () => {
  test.each(CLIENTS)("go on as they were told: %s", async (_name, connect) => {
    const own = (await RedisServer.start()) as RedisServer;
    closes.push(() => own.kill());
    const limiter = async (whenUnavailable: "local" | "allow" | "refuse") =>
      limiterOver(await connect(own.port), { whenUnavailable });
    const [local, allow, refuse] = [
      await limiter("local"),
      await limiter("allow"),
      await limiter("refuse"),
    ];
    await expect(allowed([local], 2)).resolves.toBe(2);
    await own.kill();
    await expect(allowed([local], 8)).resolves.toBe(5); // this process counts alone, from nought
    await expect(allowed([allow], 8)).resolves.toBe(8);
    await expect(refuse.checkShared("u", "op", RULE)).rejects.toMatchObject({
      ...{ code: "rate_limiter_exception", numericCode: 6007, cause: expect.any(Error) },
    });
  });

  test("do not wait for one that does not answer", async () => {
    const own = (await RedisServer.start()) as RedisServer;
    closes.push(() => own.kill());
    const client = await connectIoredis(own.port);
    const options = { whenUnavailable: "refuse", timeoutMs: 50 } as const;
    const limiter = limiterOver(client, options);
    await limiter.checkShared("u", "op", RULE);
    own.freeze();
    await expect(limiter.checkShared("u", "op", RULE)).rejects.toMatchObject({
      ...{ numericCode: 6007, message: expect.stringContaining("no answer within 50 ms") },
    });
    own.thaw();
    await expect(limiter.checkShared("u", "op", RULE)).resolves.toBeUndefined();
  });
});
