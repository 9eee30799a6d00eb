import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { type RateKey, RateLimiter } from "../../ts/services/infrastructure/limits/rate-limiter.ts";
import type { RateRuleOptions } from "../../ts/services/infrastructure/limits/rate-rule.ts";
import { NO_TELEMETRY } from "../../ts/services/sinks.ts";

function scene() {
  const clock = new ManualClock();
  const cleanupIntervalMs = (): number => 700;
  const limiter = new RateLimiter({
    ...{ clock, telemetry: NO_TELEMETRY, cleanupIntervalMs, shared: undefined },
  });
  const take = (entity: RateKey, rule: RateRuleOptions, operation: RateKey = "op"): boolean => {
    try {
      limiter.check(entity, operation, rule);
      return true;
    } catch {
      return false;
    }
  };
  return { clock, limiter, take };
}

/** Times between calls, many of them none: bursts. */
const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 250 })), {
  maxLength: 150,
});
const limits = fc.integer({ min: 0, max: 12 });
const windows = fc.integer({ min: 1, max: 500 });

/** The times at which calls were admitted that came with these gaps. */
function admitted(rule: RateRuleOptions, gaps: readonly number[]): number[] {
  const { clock, take } = scene();
  return gaps.flatMap((gap) => {
    clock.advance(gap);
    return take("u", rule) ? [clock.now()] : [];
  });
}

/** Most of them that lie within any stretch of that length, its end left out. */
function mostWithin(times: readonly number[], lengthMs: number): number {
  const counts = times.map(
    (from) => times.filter((time) => time >= from && time < from + lengthMs).length,
  );
  return Math.max(0, ...counts);
}

describe("a rate limit", () => {
  test("in fixed windows admits its limit in each, and twice that in none [F116 F121]", () => {
    fc.assert(
      fc.property(limits, windows, gaps, (limit, windowMs, gaps) => {
        const times = admitted({ limit, windowMs }, gaps);
        let nowMs = 0;
        const calls = gaps.map((gap) => (nowMs += gap));
        const inWindow = (all: number[], window: number): number =>
          all.filter((time) => Math.floor(time / windowMs) === window).length;
        for (const window of new Set(calls.map((time) => Math.floor(time / windowMs)))) {
          expect(inWindow(times, window)).toBe(Math.min(limit, inWindow(calls, window)));
        }
        expect(mostWithin(times, windowMs)).toBeLessThanOrEqual(2 * limit);
      }),
    );
  });

  test("in a sliding window never admits more than its limit", () => {
    fc.assert(
      fc.property(limits, windows, gaps, (limit, windowMs, gaps) => {
        const times = admitted({ limit, windowMs, algorithm: "slidingWindow" }, gaps);
        expect(mostWithin(times, windowMs)).toBeLessThanOrEqual(limit);
        let nowMs = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const recent = times.filter((time) => time > nowMs - windowMs && time <= nowMs).length;
          // Whoever was refused was refused for a reason.
          if (!times.includes(nowMs)) expect(recent).toBe(limit);
        }
      }),
    );
  });

  test("by tokens admits a burst and what flows in, whatever the stretch", () => {
    const bursts = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(limits, windows, bursts, gaps, (limit, windowMs, burst, gaps) => {
        const times = admitted({ limit, windowMs, burst, algorithm: "tokenBucket" }, gaps);
        for (const lengthMs of [1, windowMs, 3 * windowMs, 100_000]) {
          const most = burst + Math.floor((lengthMs * limit) / windowMs + 1e-6);
          expect(mostWithin(times, lengthMs)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  const algorithms = fc.constantFrom("fixedWindow", "slidingWindow", "tokenBucket" as const);

  test("counts entities and operations as if each were alone [F117 F118]", () => {
    const call = fc.record({
      entity: fc.constantFrom("a", "b"),
      operation: fc.constantFrom("r", "w"),
      gap: fc.integer({ min: 0, max: 200 }),
    });
    fc.assert(
      fc.property(limits, algorithms, fc.array(call), (limit, algorithm, calls) => {
        const rule = { limit, windowMs: 300, algorithm };
        const [together, alone] = [scene(), scene()];
        for (const { entity, operation, gap } of calls) {
          together.clock.advance(gap);
          alone.clock.advance(gap);
          const answer = together.take(entity, rule, operation);
          if (entity !== "a" || operation !== "r") continue;
          expect(alone.take("a", rule, "r")).toBe(answer);
        }
      }),
    );
  });

  test("says beforehand what it will do, and until when [F119]", () => {
    fc.assert(
      fc.property(limits, windows, algorithms, gaps, (limit, windowMs, algorithm, gaps) => {
        const rule = { limit, windowMs, algorithm };
        const { clock, limiter, take } = scene();
        take("u", rule);
        for (const gap of gaps) {
          clock.advance(gap);
          const before = limiter.getStatus("u", "op");
          expect(before.status).toBe(before.remaining > 0 ? "available" : "rate_limited");
          expect(before.retryAfterMs === 0).toBe(before.remaining > 0);
          if (limiter.bucketCount > 0 && Number.isFinite(before.retryAfterMs)) {
            clock.advance(before.retryAfterMs);
            expect(take("u", rule)).toBe(true);
          } else expect(take("u", rule)).toBe(before.remaining > 0 && limit > 0);
        }
      }),
    );
  });

  test("runs no function that it has no room for [F120 F122]", async () => {
    const calls = fc.integer({ min: 0, max: 60 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), limits, calls, async (scheduler, limit, calls) => {
        const { limiter } = scene();
        let running = 0;
        const all = Array.from({ length: calls }, async () => {
          await scheduler.schedule(Promise.resolve());
          limiter.executeWithLimit("u", "op", limit, 1_000, () => (running += 1));
        });
        const settled = Promise.allSettled(all);
        await scheduler.waitAll();
        await settled;
        expect(running).toBe(Math.min(limit, calls));
      }),
    );
  });

  test("takes any number for a limit or refuses it, and never does neither [F123]", () => {
    const numbers = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.constantFrom(0, -0, 1));
    fc.assert(
      fc.property(numbers, numbers, algorithms, (limit, windowMs, algorithm) => {
        const { limiter } = scene();
        const isUsable = Number.isSafeInteger(limit) && limit >= 0 && windowMs >= 1;
        const isSmall = algorithm !== "slidingWindow" || limit <= 100_000;
        const isRule = isUsable && isSmall && Number.isSafeInteger(windowMs);
        let code = "none";
        try {
          limiter.check("u", "op", { limit, windowMs, algorithm });
        } catch (error) {
          code = (error as { code: string }).code;
        }
        if (!isRule) expect(code).toBe("rate_limiter_exception");
        else expect(code).toBe(limit > 0 ? "none" : "rate_limit_exceeded");
      }),
    );
  });

  test("takes a number and its text for the same key [F124]", () => {
    const keys = fc.oneof(fc.integer(), fc.bigInt(), fc.boolean());
    fc.assert(
      fc.property(keys, keys, (entity, operation) => {
        const { take } = scene();
        const rule = { limit: 1, windowMs: 1_000 };
        expect(take(entity, rule, operation)).toBe(true);
        expect(take(String(entity), rule, String(operation))).toBe(false);
      }),
    );
  });
});
