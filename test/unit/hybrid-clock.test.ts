import fc from "fast-check";
import { expect, test } from "vitest";
import {
  compareHybridTimes,
  HYBRID_COUNTER_MAX,
  HybridClock,
  type HybridTime,
  isHybridTime,
} from "../../ts/base/hybrid-clock.ts";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { codeOf } from "./thrown-code.ts";

test("moments of one clock grow, also within a millisecond", () => {
  const clock = new ManualClock(1_000);
  const hybrid = new HybridClock(clock);
  const moments = [hybrid.tick(), hybrid.tick()];
  clock.advance(1);
  moments.push(hybrid.tick());
  expect(moments).toEqual([
    { ms: 1_000, counter: 0 },
    { ms: 1_000, counter: 1 },
    { ms: 1_001, counter: 0 },
  ]);
});

test("a moment is greater than all that were observed before, whatever wall clocks say", () => {
  const clock = new ManualClock(1_000);
  const hybrid = new HybridClock(clock);
  hybrid.observe({ ms: 1_500, counter: 9 });
  expect(hybrid.tick()).toEqual({ ms: 1_500, counter: 10 });
  hybrid.observe({ ms: 1_200, counter: 0 });
  clock.advance(501);
  expect(hybrid.tick()).toEqual({ ms: 1_501, counter: 0 });
});

test("a wall clock that goes back takes no moment with it", () => {
  let wallMs = 1_000;
  const hybrid = new HybridClock({ now: () => 0, wallNow: () => wallMs, after: () => () => {} });
  const before = hybrid.tick();
  wallMs = 10;
  expect(compareHybridTimes(hybrid.tick(), before)).toBeGreaterThan(0);
});

test("a full counter takes the clock a millisecond on", () => {
  const hybrid = new HybridClock(new ManualClock(1_000));
  hybrid.observe({ ms: 1_000, counter: HYBRID_COUNTER_MAX });
  expect(hybrid.tick()).toEqual({ ms: 1_001, counter: 0 });
});

test("a moment too far ahead is refused, and moves nothing", () => {
  const hybrid = new HybridClock(new ManualClock(1_000), { aheadMsMax: 100 });
  expect(codeOf(() => hybrid.observe({ ms: 1_101, counter: 0 }))?.[0]).toBe("range_error");
  expect(hybrid.tick()).toEqual({ ms: 1_000, counter: 0 });
});

test("whatever nodes say to each other, each event comes after those that led to it", () => {
  const step = fc.record({
    from: fc.nat(2),
    to: fc.nat(2),
    driftMs: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clocks = [0, 20, 40].map((aheadMs) => new ManualClock(1_000 + aheadMs));
      const nodes = clocks.map((clock) => new HybridClock(clock));
      for (const { from, to, driftMs } of steps) {
        (clocks[from] as ManualClock).advance(driftMs);
        const sent = (nodes[from] as HybridClock).tick();
        (nodes[to] as HybridClock).observe(sent);
        const received = (nodes[to] as HybridClock).tick();
        expect(compareHybridTimes(received, sent)).toBeGreaterThan(0);
      }
    }),
  );
});

test.each<[unknown, boolean]>([
  [{ ms: 0, counter: 0 } satisfies HybridTime, true],
  [{ ms: 1, counter: HYBRID_COUNTER_MAX + 1 }, false],
  [{ ms: -1, counter: 0 }, false],
  [{ ms: 1.5, counter: 0 }, false],
  [{ ms: 1 }, false],
  [null, false],
  ["1", false],
])("%j is a moment: %s", (value, expected) => {
  expect(isHybridTime(value)).toBe(expected);
});
