import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import {
  CountingSemaphore,
  type Release,
  WeightedSemaphore,
} from "../../ts/services/infrastructure/resilience/semaphores.ts";

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Acquires, gives back the oldest, or lets time pass for those with a limit to their patience. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("acquire" as const), weight: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant("release" as const), weight: fc.constant(0) }),
  fc.record({ kind: fc.constant("wait" as const), weight: fc.integer({ min: 1, max: 60 }) }),
);
const steps = fc.array(step, { maxLength: 60 });

interface Semaphore {
  acquire(weight: number, options: { timeoutMs?: number }): Promise<Release>;
}

/** What was admitted, in order; `check` looks after each step. */
async function run(
  semaphore: Semaphore,
  all: readonly { kind: "acquire" | "release" | "wait"; weight: number }[],
  clock: ManualClock,
  check: (held: ReadonlyMap<number, number>) => void,
): Promise<{ admitted: number[]; refused: number[] }> {
  const held = new Map<number, number>();
  const releases: Release[] = [];
  const [admitted, refused]: [number[], number[]] = [[], []];
  for (const [number, { kind, weight }] of all.entries()) {
    if (kind === "wait") await clock.advanceAsync(weight);
    else if (kind === "release") releases.shift()?.();
    else {
      const patience = number % 3 === 0 ? { timeoutMs: 50 } : {};
      semaphore.acquire(weight, patience).then(
        (release) => {
          admitted.push(number);
          held.set(number, weight);
          releases.push(() => {
            held.delete(number);
            release();
          });
        },
        () => refused.push(number),
      );
    }
    await settled();
    check(held);
  }
  while (releases.length > 0) {
    releases.shift()?.();
    await settled();
    check(held);
  }
  return { admitted, refused };
}

/** First come, first served: whoever was admitted was admitted in the order in which they came. */
function expectFair(admitted: readonly number[]): void {
  expect(admitted).toEqual([...admitted].sort((a, b) => a - b));
}

describe("a counting semaphore", () => {
  test("admits no more than it may, who came first, and everybody who has patience", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (permits, steps) => {
        const clock = new ManualClock();
        const semaphore = new CountingSemaphore(permits, clock);
        const asked: Semaphore = { acquire: async (_, options) => semaphore.acquire(options) };
        const { admitted, refused } = await run(asked, steps, clock, (held) => {
          expect(held.size).toBe(semaphore.inUse);
          expect(held.size).toBeLessThanOrEqual(permits);
          if (semaphore.waiting > 0) expect(held.size).toBe(permits);
        });
        expectFair(admitted);
        const all = steps.flatMap(({ kind }, number) => (kind === "acquire" ? [number] : []));
        expect([...admitted, ...refused].sort((a, b) => a - b)).toEqual(all);
        expect([semaphore.inUse, semaphore.waiting]).toEqual([0, 0]);
      }),
    );
  });
});

describe("a weighted semaphore", () => {
  test("is overdrawn by one wish at the most, and serves who came first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 12 }), steps, async (budget, steps) => {
        const clock = new ManualClock();
        const semaphore = new WeightedSemaphore(budget, clock);
        const { admitted, refused } = await run(semaphore, steps, clock, (held) => {
          const weights = [...held.values()];
          const sum = weights.reduce((total, weight) => total + weight, 0);
          expect(semaphore.left).toBe(budget - sum);
          const largest = Math.max(0, ...weights);
          if (semaphore.left < 0) expect(sum - largest).toBeLessThanOrEqual(budget);
          if (semaphore.waiting > 0) expect(semaphore.left).toBeLessThan(0);
        });
        expectFair(admitted);
        const asked = steps.filter(({ kind }) => kind === "acquire").length;
        expect(admitted.length + refused.length).toBe(asked);
        expect([semaphore.left, semaphore.waiting]).toEqual([budget, 0]);
      }),
    );
  });
});
