import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { BUCKETS_MAX, RateLimiter } from "../../ts/services/infrastructure/limits/rate-limiter.ts";
import type { RateRuleOptions } from "../../ts/services/infrastructure/limits/rate-rule.ts";
import type { Metadata } from "../../ts/services/sinks.ts";

interface Told {
  readonly event: string;
  readonly metadata: Metadata;
}

function scene(cleanupIntervalMs = 300_000) {
  const clock = new ManualClock();
  const told: Told[] = [];
  const limiter = new RateLimiter({
    clock,
    telemetry: {
      execute: (name, measurements, metadata) => {
        if (name.slice(0, -1).join() !== "foundation,foundation,infra,rate_limiter") throw name;
        if (measurements["counter"] !== 1) throw measurements;
        told.push({ event: name.at(-1) as string, metadata });
      },
    },
    cleanupIntervalMs: () => cleanupIntervalMs,
    shared: undefined,
  });
  return { clock, told, limiter };
}

/** Calls until one is refused, `most` at the most; how many were allowed. */
function allowed(limiter: RateLimiter, rule: RateRuleOptions, most: number, entity = "u"): number {
  for (let count = 0; count < most; count++) {
    try {
      limiter.check(entity, "op", rule);
    } catch {
      return count;
    }
  }
  return most;
}

const exceeded = expect.objectContaining({ code: "rate_limit_exceeded", numericCode: 6001 });
const unusable = expect.objectContaining({ code: "rate_limiter_exception", numericCode: 6003 });

describe("a limit in fixed windows", () => {
  test("allows as many calls as it says, and refuses the next [F360 F361 F373]", () => {
    const { limiter } = scene();
    for (let i = 0; i < 5; i++) limiter.checkRate("user:123", "login", 5, 60_000);
    expect(() => limiter.checkRate("user:123", "login", 5, 60_000)).toThrow(exceeded);
    expect(() => limiter.checkRate("nobody", "login", 0, 60_000)).toThrow(exceeded);
  });

  test("tells when there is room again", () => {
    const { limiter, clock } = scene();
    clock.advance(61_000);
    limiter.checkRate("u", "op", 1, 60_000);
    expect(() => limiter.checkRate("u", "op", 1, 60_000)).toThrow(
      expect.objectContaining({
        message: "more than 1 calls of 'op' within 60000 ms",
        context: {
          ...{ entityId: "u", operation: "op", limit: 1, windowMs: 60_000 },
          retryAfterMs: 59_000,
        },
      }),
    );
    clock.advance(58_999);
    expect(() => limiter.checkRate("u", "op", 1, 60_000)).toThrow(exceeded);
    clock.advance(1);
    limiter.checkRate("u", "op", 1, 60_000);
  });

  test("counts each entity and each operation by itself [F362 F363 F382]", () => {
    const { limiter } = scene();
    for (const entity of ["a", "b"]) {
      for (const operation of ["read", "write"]) {
        limiter.checkRate(entity, operation, 1, 1_000);
        expect(() => limiter.checkRate(entity, operation, 1, 1_000)).toThrow(exceeded);
      }
    }
    expect(limiter.bucketCount).toBe(4);
    limiter.checkRate("a:b", "c", 1, 1_000);
    limiter.checkRate("a", "b:c", 1, 1_000);
    limiter.checkRate("a:b:c", "", 1, 1_000);
  });

  test("lets twice as many pass around the end of a window, and no more [F383 F384]", () => {
    const { limiter, clock } = scene();
    const rule = { limit: 10, windowMs: 100 };
    clock.advance(99);
    expect(allowed(limiter, rule, 20)).toBe(10);
    clock.advance(1);
    expect(allowed(limiter, rule, 20)).toBe(10);
    clock.advance(99);
    expect(allowed(limiter, rule, 20)).toBe(0);
    let total = 0;
    for (let window = 0; window < 50; window++) {
      clock.advance(100);
      total += allowed(limiter, rule, 20);
    }
    expect(total).toBe(500);
  });

  test("keeps to it under load and in bursts [F376 F377]", () => {
    const { limiter, clock } = scene();
    const rule = { limit: 10, windowMs: 1_000 };
    let total = 0;
    for (let tick = 0; tick < 1_000; tick++) {
      total += allowed(limiter, rule, tick % 100 === 0 ? 50 : 1);
      clock.advance(10);
    }
    expect(total).toBe(100);
  });

  test("counts calls that come at the same time [F375 F381]", async () => {
    const { limiter } = scene();
    const calls = Array.from({ length: 100 }, async (_, i) => {
      await Promise.resolve();
      limiter.checkRate(`entity ${i % 4}`, "op", 10, 1_000);
    });
    const ends = await Promise.allSettled(calls);
    expect(ends.filter(({ status }) => status === "fulfilled").length).toBe(40);
  });

  test("goes on with what it counted when its limit changes", () => {
    const { limiter } = scene();
    expect(allowed(limiter, { limit: 10, windowMs: 1_000 }, 6)).toBe(6);
    expect(allowed(limiter, { limit: 8, windowMs: 1_000 }, 9)).toBe(2);
    expect(allowed(limiter, { limit: 3, windowMs: 1_000 }, 9)).toBe(0);
  });
});

describe("a limit in a sliding window", () => {
  const rule: RateRuleOptions = { limit: 10, windowMs: 100, algorithm: "slidingWindow" };

  test("lets no more pass around the end of a window", () => {
    const { limiter, clock } = scene();
    clock.advance(99);
    expect(allowed(limiter, rule, 20)).toBe(10);
    clock.advance(99);
    expect(allowed(limiter, rule, 20)).toBe(0);
    expect(limiter.getStatus("u", "op")).toMatchObject({ retryAfterMs: 1, currentCount: 10 });
    clock.advance(1);
    expect(allowed(limiter, rule, 20)).toBe(10);
  });

  test("frees each call when it is a window old", () => {
    const { limiter, clock } = scene();
    for (let i = 0; i < 10; i++) {
      limiter.check("u", "op", rule);
      clock.advance(10);
    }
    for (let i = 0; i < 10; i++) {
      expect(allowed(limiter, rule, 5)).toBe(1);
      clock.advance(10);
    }
  });

  test("waits for all that a lower limit has no room for", () => {
    const { limiter, clock } = scene();
    for (let i = 0; i < 10; i++) {
      limiter.check("u", "op", rule);
      clock.advance(1);
    }
    expect(() => limiter.check("u", "op", { ...rule, limit: 3 })).toThrow(
      expect.objectContaining({ context: expect.objectContaining({ retryAfterMs: 97 }) }),
    );
    clock.advance(96);
    expect(allowed(limiter, { ...rule, limit: 3 }, 5)).toBe(0);
    clock.advance(1);
    expect(allowed(limiter, { ...rule, limit: 3 }, 5)).toBe(1);
  });
});

describe("a limit by tokens", () => {
  const rule: RateRuleOptions = { limit: 10, windowMs: 1_000, algorithm: "tokenBucket", burst: 3 };

  test("allows a burst, then as many as flow in", () => {
    const { limiter, clock } = scene();
    expect(allowed(limiter, rule, 9)).toBe(3);
    expect(limiter.getStatus("u", "op")).toMatchObject({
      ...{ status: "rate_limited", currentCount: 3, remaining: 0, retryAfterMs: 100 },
    });
    clock.advance(99);
    expect(allowed(limiter, rule, 9)).toBe(0);
    clock.advance(1);
    expect(allowed(limiter, rule, 9)).toBe(1);
    clock.advance(60_000);
    expect(allowed(limiter, rule, 9)).toBe(3);
  });

  test("holds as many as its limit where nothing else is said", () => {
    const { limiter } = scene();
    expect(allowed(limiter, { limit: 7, windowMs: 1_000, algorithm: "tokenBucket" }, 9)).toBe(7);
  });

  test("never refills where its limit is nought", () => {
    const { limiter } = scene();
    const none: RateRuleOptions = { limit: 0, windowMs: 1_000, algorithm: "tokenBucket" };
    expect(() => limiter.check("u", "op", none)).toThrow(
      expect.objectContaining({
        context: expect.objectContaining({ retryAfterMs: Number.POSITIVE_INFINITY }),
      }),
    );
  });
});

describe("the status of an entity", () => {
  test("is that of one which has done nothing [F365 F054 F390]", () => {
    const { limiter } = scene();
    const nothing = {
      ...{ status: "available", entityId: "u", currentCount: 0, algorithm: "fixedWindow" },
      ...{ limit: 100, windowMs: 60_000, remaining: 100, retryAfterMs: 0 },
    };
    expect(limiter.getStatus("u", "op")).toEqual(nothing);
    limiter.checkRate("u", "op", 2, 1_000);
    expect(limiter.getStatus("u", "op")).toEqual({
      ...{ ...nothing, currentCount: 1, limit: 2, windowMs: 1_000, remaining: 1 },
    });
    limiter.checkRate("u", "op", 2, 1_000);
    expect(limiter.getStatus("u", "op")).toEqual({
      ...{ ...nothing, status: "rate_limited", currentCount: 2, limit: 2, windowMs: 1_000 },
      ...{ remaining: 0, retryAfterMs: 1_000 },
    });
    expect(limiter.getStatus("another", "op").currentCount).toBe(0);
  });

  test("is forgotten by a reset [F366]", () => {
    const { limiter, told } = scene();
    limiter.checkRate("u", "op", 1, 1_000);
    limiter.reset("u", "op");
    expect(told.at(-1)).toEqual({
      event: "bucket_reset",
      metadata: { entityId: "u", operation: "op" },
    });
    expect(limiter.getStatus("u", "op").currentCount).toBe(0);
    limiter.checkRate("u", "op", 1, 1_000);
    limiter.reset("who never was", "op");
  });
});

describe("a function under a limit", () => {
  test("runs while there is room [F367 F368]", async () => {
    const { limiter } = scene();
    const run = (): string => limiter.executeWithLimit("u", "op", 2, 1_000, () => "answer");
    const runLater = (): Promise<string> =>
      limiter.executeWithLimit("u", "op", 2, 1_000, async () => "answer");
    expect(run()).toBe("answer");
    await expect(runLater()).resolves.toBe("answer");
    expect(run).toThrow(exceeded);
    expect(runLater).toThrow(exceeded);
  });

  test("that fails tells why [F369]", async () => {
    const { limiter } = scene();
    const cause = new Error("boom");
    const failed = { code: "rate_limited_operation_failed", numericCode: 6009, cause };
    const fail = (): never => {
      throw cause;
    };
    expect(() => limiter.executeWithLimit("u", "op", 9, 1_000, fail)).toThrow(
      expect.objectContaining(failed),
    );
    await expect(
      limiter.executeWithLimit("u", "op", 9, 1_000, async () => fail()),
    ).rejects.toMatchObject(failed);
    expect(() => limiter.executeWithLimit("u", "op", 9, 1_000, "no function" as never)).toThrow(
      unusable,
    );
  });
});

describe("what a limiter tells", () => {
  test("is each call with what goes with it [F364 F370 F389]", () => {
    const { limiter, told } = scene();
    limiter.executeWithLimit("u", "op", 1, 1_000, () => 1, { trace: "t" });
    expect(() => limiter.checkRate("u", "op", 1, 1_000, { trace: "t" })).toThrow(exceeded);
    expect(() => limiter.checkRate("u", "op", 1, 0, { trace: "t" })).toThrow(unusable);
    const about = { trace: "t", entityId: "u", operation: "op" };
    expect(told).toEqual([
      { event: "request_allowed", metadata: { ...about, count: 1, limit: 1, windowMs: 1_000 } },
      { event: "request_denied", metadata: { ...about, limit: 1, windowMs: 1_000 } },
      {
        event: "rate_limiter_exception",
        metadata: {
          ...about,
          reason: "windowMs must be a whole number from 1 to 9007199254740991, not 0",
        },
      },
    ]);
  });
});

describe("a rule", () => {
  test("may be as large or as short as numbers are [F371 F372 F388]", () => {
    const { limiter, clock } = scene();
    const most = Number.MAX_SAFE_INTEGER;
    expect(allowed(limiter, { limit: most, windowMs: most }, 1_000)).toBe(1_000);
    expect(limiter.getStatus("u", "op").remaining).toBe(most - 1_000);
    expect(allowed(limiter, { limit: 2, windowMs: 1 }, 3)).toBe(2);
    clock.advance(1);
    expect(allowed(limiter, { limit: 2, windowMs: 1 }, 3)).toBe(2);
  });

  test.each<[RateRuleOptions, string]>([
    [{ limit: 10, windowMs: 0 }, "windowMs must be"],
    [{ limit: 10, windowMs: -1 }, "windowMs must be"],
    [{ limit: -1, windowMs: 1_000 }, "limit must be"],
    [{ limit: 1.5, windowMs: 1_000 }, "limit must be"],
    [{ limit: Number.NaN, windowMs: 1_000 }, "limit must be"],
    [{ limit: 100_001, windowMs: 1_000, algorithm: "slidingWindow" }, "from 0 to 100000"],
    [{ limit: 1, windowMs: 1_000, burst: 3 }, "burst belongs to tokenBucket"],
    [{ limit: 1, windowMs: 1_000, algorithm: "tokenBucket", burst: -3 }, "burst must be"],
    [{ limit: 1, windowMs: 1_000, algorithm: "leaky" as never }, "algorithm must be one of"],
    [{ limit: 1, window: 1_000 } as never, "did you mean 'windowMs'?"],
  ])("of %j is refused [F374 F387]", (rule, text) => {
    const { limiter } = scene();
    expect(() => limiter.check("u", "op", rule)).toThrow(
      expect.objectContaining({ numericCode: 6003, message: expect.stringContaining(text) }),
    );
    expect(limiter.bucketCount).toBe(0);
  });

  test("cannot be shared where there is no store", async () => {
    const { limiter, told } = scene();
    await expect(limiter.checkShared("u", "op", {})).rejects.toThrow("there is no store");
    await expect(limiter.getSharedStatus("u", "op", {})).rejects.toThrow("there is no store");
    await expect(limiter.resetShared("u", "op", {})).rejects.toThrow("there is no store");
    expect(told.map(({ event }) => event)).toEqual(["rate_limiter_exception"]);
  });
});

describe("a key", () => {
  test.each([
    "x".repeat(10_000),
    "user@example.com",
    "'; DROP TABLE limits; --",
    "../../etc/passwd",
    "__proto__",
    "\u0000\n\u202e🙂",
    "",
  ])("%# may be of any length and letters [F379 F380 F134]", (entity) => {
    const { limiter } = scene();
    limiter.checkRate(entity, entity, 1, 1_000);
    expect(() => limiter.checkRate(entity, entity, 1, 1_000)).toThrow(exceeded);
    limiter.checkRate(`${entity}.`, entity, 1, 1_000);
    expect(limiter.bucketCount).toBe(2);
  });

  test.each([
    ["null", null],
    ["nothing", undefined],
    ["an object", {}],
    ["a list", []],
    ["a symbol", Symbol("s")],
    ["no number", Number.NaN],
  ])("cannot be %s [F385 F386]", (_what, key) => {
    const { limiter } = scene();
    const refused = expect.objectContaining({ code: "validation_failed", numericCode: 6008 });
    expect(() => limiter.checkRate(key as never, "op", 1, 1_000)).toThrow(refused);
    expect(() => limiter.checkRate("u", key as never, 1, 1_000)).toThrow(refused);
    expect(() => limiter.getStatus(key as never, "op")).toThrow(refused);
    expect(() => limiter.reset("u", key as never)).toThrow(refused);
  });

  test("is forgotten when its window is over [F378]", () => {
    const { limiter, clock } = scene(5_000);
    for (let i = 0; i < 1_000; i++) limiter.checkRate(`user ${i}`, "op", 5, 1_000);
    limiter.checkRate("lasting", "op", 5, 3_600_000);
    expect(limiter.bucketCount).toBe(1_001);
    clock.advance(4_999);
    limiter.checkRate("lasting", "op", 5, 3_600_000);
    expect(limiter.bucketCount).toBe(1_001);
    clock.advance(1);
    limiter.checkRate("lasting", "op", 5, 3_600_000);
    expect([limiter.bucketCount, limiter.getStatus("lasting", "op").currentCount]).toEqual([1, 3]);
  });

  test("that is one too many is refused, until others can be forgotten", () => {
    const { limiter, clock, told } = scene();
    for (let i = 0; i < BUCKETS_MAX; i++) limiter.checkRate(i, "op", 1, 2_000);
    expect(() => limiter.checkRate("one more", "op", 1, 2_000)).toThrow(unusable);
    expect(told.at(-1)?.event).toBe("rate_limiter_exception");
    clock.advance(2_000);
    limiter.checkRate("one more", "op", 1, 2_000);
    expect(limiter.bucketCount).toBe(1);
  });
});
